//! What calls in French are made of.
//!
//! Neither side's gender is known, so no phrase may depend on it (« toutes mes excuses », not « désolé »),
//! and no slot that can begin with a vowel may follow an elidable word (« pour {who} », not « de {who} »).

mod billing;
mod contracts;
mod faults;
mod other;
mod sales;
mod setup;

use super::script::Phrasebook;
use super::script::Step::{self, Hold, Maybe, OneOf, Them, Us};

/// French calls.
pub(super) const PHRASEBOOK: Phrasebook = Phrasebook {
    answer: &[OneOf(&[
        &[
            Us(&[
                "{us}, {agent} à l'appareil, bonjour. [Que puis-je faire pour vous ?|]",
                "{us} bonjour, {agent} à votre écoute.",
                "Bonjour, vous êtes bien chez {us}, [je m'appelle {agent}|ici {agent}].",
            ]),
            Them(&[
                "Bonjour {agent}, ici {caller}.",
                "Oui, bonjour, je m'appelle {caller}. [J'espère que vous pourrez m'aider.|]",
                "Bonjour, c'est {caller}. [Vous avez deux minutes ?|Je ne vous dérange pas ?|]",
            ]),
            Us(&[
                "Bonjour {first}, [dites-moi|je vous écoute].",
                "Bonjour {first}, [comment puis-je vous aider|que puis-je faire pour vous] ?",
                "Quel plaisir de vous entendre, {first}. Qu'est-ce qui vous amène ?",
            ]),
        ],
        &[
            Us(&["{us}, {agent}, bonjour.", "{us}, bonjour, c'est {agent}."]),
            Them(&[
                "Bonjour {agent}, {caller}. Comment allez-vous ?",
                "Ah, bonjour {agent} ! C'est {caller}. Ça va bien ?",
            ]),
            Us(&[
                "Très bien, merci. Et vous-même, {first} ?",
                "Ça va très bien, merci {first}. Et de votre côté ?",
            ]),
            Them(&[
                "[Bien, merci|Ça va, ça va|On court partout, comme d'habitude]. Dites, j'aurais besoin de vous.",
                "Très bien, merci. Je vous appelle parce que j'ai besoin d'un coup de main.",
            ]),
            Us(&[
                "[Bien sûr|Avec plaisir], je vous écoute.",
                "Allez-y, dites-moi tout.",
                "Je vous en prie, de quoi s'agit-il ?",
            ]),
        ],
    ])],
    dial: &[OneOf(&[
        &[
            Them(&["Allô ?", "Oui, allô ?", "Allô, c'est de la part de qui ?"]),
            Us(&[
                "Bonjour, c'est {agent}, de chez {us}. Je suis bien avec {first} {last} ?",
                "Bonjour, ici {agent}, société {us}. Vous êtes bien {first} {last} ?",
            ]),
            Them(&[
                "Oui, c'est moi. [De quoi s'agit-il ?|Je vous écoute.]",
                "C'est bien moi, bonjour.",
                "Oui, c'est moi-même. Que puis-je pour vous ?",
            ]),
        ],
        &[
            Them(&[
                "{first} {last}, bonjour.",
                "Oui, bonjour, {first} {last} à l'appareil.",
            ]),
            Us(&[
                "Bonjour {first}, {agent}, [de chez|société] {us}. [Je ne vous dérange pas ?|Je tombe bien ?]",
                "Bonjour {first}, c'est {agent}, de chez {us}. C'est un bon moment pour vous ?",
            ]),
            Them(&[
                "Non, non, ça va, allez-y.",
                "J'ai [cinq minutes|un petit moment], je vous écoute.",
                "J'entre en réunion dans un quart d'heure, mais dites-moi.",
            ]),
        ],
        &[
            Them(&["{pickup}.", "{pickup}, j'écoute."]),
            Us(&[
                "Bonjour, {agent}, société {us}. Pourrais-je parler à {first} {last}, s'il vous plaît ?",
                "Bonjour, ici {agent}, de chez {us}. Je cherche à joindre {first} {last}.",
            ]),
            Them(&[
                "C'est moi-même. De quoi s'agit-il ?",
                "Vous l'avez au bout du fil. Je vous écoute.",
                "C'est moi, allez-y.",
            ]),
        ],
    ])],
    asides: &[
        &[
            Us(&[
                "Autre chose que je puisse faire ?",
                "Vous aviez une autre question ?",
            ]),
            Them(&[
                "Oui, tant que je vous ai : comment je change l'annonce de la messagerie ?",
                "Une dernière chose. Où est-ce qu'on enregistre une nouvelle annonce ?",
            ]),
            Us(&[
                "Dans « Numéros », tout en bas. Vous pouvez l'enregistrer ou taper le texte.",
                "Dans les paramètres du numéro, il y a une rubrique pour ça.",
            ]),
            Them(&["Ah, trouvé. Merci.", "D'accord, j'essaierai plus tard."]),
        ],
        &[
            Us(&[
                "Est-ce que ça répond à votre question ?",
                "C'est clair pour vous ?",
            ]),
            Them(&[
                "Oui. Et on peut bloquer un numéro ? Quelqu'un nous appelle dix fois par jour.",
                "Très clair. On reçoit aussi beaucoup de démarchage, vous pouvez y faire quelque chose ?",
            ]),
            Us(&[
                "Ouvrez la fiche de l'appelant et choisissez « Bloquer ». Ça ne sonnera plus chez personne.",
                "En deux clics, directement dans la liste des appels, vous bloquez qui vous voulez.",
            ]),
            Them(&["Quel soulagement.", "Parfait, je le fais tout de suite."]),
        ],
        &[
            Us(&[
                "D'autres questions, pendant qu'on y est ?",
                "Il y avait autre chose sur votre liste ?",
            ]),
            Them(&[
                "Je peux utiliser l'application en déplacement ? Je pars deux semaines à l'étranger.",
                "Est-ce que ça marche aussi depuis l'étranger ?",
            ]),
            Us(&[
                "Oui, partout où il y a internet. Vos correspondants ne verront aucune différence.",
                "Sans problème. En Wi-Fi, c'est comme au bureau.",
            ]),
            Them(&["Très bien, ça simplifie les choses.", "C'est bon à savoir."]),
        ],
        &[
            Us(&[
                "Et pour le reste, tout se passe bien ?",
                "À part ça, tout fonctionne ?",
            ]),
            Them(&[
                "Oui. Les résumés d'appel sont formidables, au passage. Je gagne une heure par jour.",
                "Très bien. L'équipe aime l'application, ce n'est pas rien.",
            ]),
            Us(&[
                "Ça fait plaisir à entendre, je transmettrai.",
                "Merci, les développeurs vont apprécier.",
            ]),
            Them(&["Faites donc.", "C'est mérité."]),
        ],
        &[
            Us(&[
                "Qu'est-ce que je peux faire d'autre pour vous ?",
                "Autre chose vous préoccupe ?",
            ]),
            Them(&[
                "Je me demandais comment passer un appel à un collègue. Je raccroche à chaque fois.",
                "Comment on transfère un appel ? Je me trompe toujours.",
            ]),
            Us(&[
                "Appuyez sur la flèche, choisissez le collègue, attendez qu'il décroche, puis appuyez encore.",
                "Avec la flèche. En la maintenant, vous pouvez d'abord parler à votre collègue.",
            ]),
            Them(&[
                "Voilà donc à quoi sert la flèche.",
                "Ah, je ne l'avais jamais remarquée.",
            ]),
            Us(&[
                "Exactement. Il y a aussi une petite vidéo dans l'aide.",
                "C'est toute l'astuce.",
            ]),
            Them(&["Je la montrerai aux autres.", "Très bien."]),
        ],
        &[
            Us(&[
                "Bien. Vous aviez une autre question ?",
                "Il y a un autre point à voir ?",
            ]),
            Them(&[
                "Qui est notre contact chez vous, maintenant ? Avant, on avait {colleague}.",
                "C'est toujours {colleague} qui suit notre dossier ?",
            ]),
            Us(&[
                "Pour ce genre de question, c'est moi. {colleague} reste là pour le contrat.",
                "On est deux, {colleague} et moi. Le premier qui décroche est le bon.",
            ]),
            Them(&[
                "Très bien, j'enregistre votre numéro.",
                "D'accord, mes amitiés à {colleague}.",
            ]),
        ],
        &[
            Us(&["Il vous fallait autre chose ?", "Autre chose ?"]),
            Them(&[
                "On peut recevoir des SMS sur le numéro principal ? Les clients le demandent.",
                "Est-ce qu'on peut écrire des SMS depuis le numéro du bureau ?",
            ]),
            Us(&[
                "Oui, c'est déjà actif. Ouvrez une conversation et écrivez au lieu d'appeler.",
                "Bien sûr. Tous ceux qui ont accès au numéro peuvent écrire.",
            ]),
            Them(&[
                "Ah, c'est simple. Je croyais que c'était payant.",
                "Super, ça va leur plaire.",
            ]),
        ],
    ],
    wrap_up: &[
        Us(&[
            "[Très bien|Parfait]. Est-ce que je peux faire autre chose pour vous ?",
            "[Voilà|Bien]. Vous aviez d'autres questions ?",
            "Alors je crois qu'on a fait le tour. Autre chose de votre côté ?",
        ]),
        Them(&[
            "Non, [c'est tout|ce sera tout|c'est parfait]. Merci [beaucoup|bien], {agent}.",
            "Non, c'est bon pour moi, merci.",
            "Non, merci pour votre aide.",
        ]),
    ],
    farewell: &[
        Us(&[
            "Très bien, {first}. [Bonne journée|Très bonne journée à vous|Bonne continuation].",
            "Parfait. [À bientôt|Bonne journée], {first}, et merci.",
            "Merci à vous, {first}. [À très vite|Au revoir].",
        ]),
        Maybe(&[Them(&[
            "Au revoir.",
            "Merci, à vous aussi. Au revoir.",
            "Bonne journée, au revoir.",
        ])]),
    ],
    scenarios: &[
        &billing::BILLING_QUESTION,
        &billing::DUPLICATE_CHARGE,
        &billing::REFUND,
        &billing::PAYMENT_REMINDER,
        &sales::UPGRADE,
        &sales::DEMO,
        &sales::PROSPECTING,
        &sales::QUOTE,
        &contracts::RENEWAL,
        &contracts::CANCELLATION,
        &setup::ONBOARDING,
        &setup::PORTING,
        &faults::OUTAGE,
        &faults::BUG,
        &faults::DELIVERY,
        &setup::INTEGRATION,
        &other::OPENING_HOURS,
        &other::PARTNERSHIP,
        &other::JOB_APPLICATION,
    ],
};

/// Our side opens the account while the contact waits. It begins with our side and ends in silence, after
/// which our side goes on.
const LOOK_UP: Step = OneOf(&[
    &[
        Us(&[
            "[D'accord|Très bien]. Un instant, j'ouvre {account}.",
            "Je regarde ça tout de suite. [Un petit instant|Ne quittez pas], j'affiche {account}.",
            "Merci {first}. Laissez-moi [consulter|ouvrir] {account}, [j'en ai pour une seconde|ça ne sera pas long].",
        ]),
        Them(&[
            "[Oui, bien sûr|Je vous en prie], prenez votre temps.",
            "D'accord, [j'attends|pas de souci].",
            "Allez-y.",
        ]),
        Hold,
    ],
    &[
        Us(&[
            "Je comprends. Vous pouvez me confirmer l'adresse e-mail liée au compte ?",
            "D'abord une petite vérification : c'est bien vous qui administrez le compte ?",
        ]),
        Them(&[
            "Oui, c'est mon adresse professionnelle, prénom point nom.",
            "Oui, le compte est au nom de la société, avec {first} {last} en contact.",
        ]),
        Us(&[
            "Parfait, je vous retrouve. Un instant, s'il vous plaît.",
            "Merci, [c'est bien ça|je l'ai]. Je regarde.",
        ]),
        Them(&["[D'accord|Très bien].", "Merci."]),
        Hold,
    ],
]);
