//! Getting customers going: accounts, numbers, integrations; in French.

use crate::corpus::script::Step::{Hold, Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// The first steps of a new customer.
pub(super) const ONBOARDING: Scenario = Scenario {
    topic: Topic::Onboarding,
    weight: 5,
    inbound: &[Them(&[
        "On vient de s'inscrire, et je m'y perds un peu dans les réglages.",
        "On est nouveaux chez vous. J'ai créé le compte, mais je ne sais pas comment ajouter mes {seats} collègues.",
    ])],
    outbound: &[
        Us(&[
            "Bienvenue chez {us} ! Je vous appelle pour la mise en route, comme prévu.",
            "Vous avez ouvert votre compte {date}, je voulais vous accompagner pour les premiers pas.",
        ]),
        Them(&[
            "Parfait, j'ai l'application sous les yeux.",
            "Vous tombez bien, je n'y arrivais pas.",
        ]),
    ],
    body: &[
        Us(&[
            "[Très bien|Parfait], on va faire ça ensemble. Qu'est-ce que vous voyez à l'écran ?",
            "Vous êtes dans les paramètres ? Qu'est-ce qui s'affiche ?",
        ]),
        Them(&[
            "Je vois la liste des utilisateurs, avec seulement mon nom.",
            "Ça affiche zéro invitation sur {seats}.",
        ]),
        Us(&[
            "Très bien. En haut à droite, il y a « Importer ». Vous pouvez y déposer une liste de noms et d'adresses.",
            "Cliquez sur « Inviter », et collez toutes les adresses, une par ligne.",
        ]),
        Them(&[
            "Un instant... Voilà, c'est dedans.",
            "Je cherche la liste. Ça y est.",
        ]),
        Hold,
        Us(&[
            "Vous devriez voir {seats} invitations envoyées.",
            "Super. Tout le monde reçoit un lien. Vous voyez bien {seats} invitations en attente ?",
        ]),
        Them(&[
            "Oui, {seats}. C'était simple.",
            "C'est bon. Et pour les numéros ?",
        ]),
        Maybe(&[
            Us(&[
                "Vous utilisez l'application, ou des téléphones fixes ?",
                "Il y a des postes fixes à raccorder ?",
            ]),
            Them(&[
                "L'application, et deux téléphones à l'accueil.",
                "Surtout des ordinateurs avec un casque.",
            ]),
            Us(&[
                "Rien de plus simple : les postes se configurent tout seuls dès qu'ils sont branchés.",
                "Parfait, il n'y aura presque rien à brancher.",
            ]),
            Them(&["C'est bon à savoir.", "C'est ce que j'espérais."]),
        ]),
        Us(&[
            "Ensuite, le groupe d'appel, pour que ça sonne chez tout le monde. Allez dans « Numéros », puis « Routage ».",
            "Maintenant on décide qui sonne en premier. Ouvrez le numéro principal, et cherchez « Parcours d'appel ».",
        ]),
        Them(&[
            "J'y suis. J'ai le choix entre tous ensemble ou l'un après l'autre.",
            "Je l'ai. Ça me demande aussi les horaires d'ouverture.",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["onboarding", "support", "resolved"],
            steps: &[
                Us(&[
                    "Prenez tous ensemble, puis la messagerie après vingt secondes. Vous pourrez changer plus tard.",
                    "Pour commencer, tout le monde en même temps, du lundi au vendredi, et la messagerie le reste du temps.",
                ]),
                Them(&["C'est enregistré. On essaie ?", "Voilà. On peut tester ?"]),
                Us(&[
                    "Oui, appelez-le depuis votre portable.",
                    "Allez-y, je reste en ligne.",
                ]),
                Them(&[
                    "Ça sonne ! Sur tous les ordinateurs. Tout le monde me regarde.",
                    "Ça sonne. Et on voit le nom de l'appelant, c'est bien.",
                ]),
                Us(&[
                    "Parfait, vous êtes en service. Je vous envoie le guide pour les annonces.",
                    "Félicitations, tout fonctionne. Il y a une formation pour l'équipe {day}, je vous envoie le lien.",
                ]),
                Them(&[
                    "Super, ça n'a pris que dix minutes.",
                    "Formidable, je pensais y passer la semaine.",
                ]),
            ],
            summary: &[
                "Mise en route avec {who} : {seats} personnes invitées, groupe d'appel et horaires configurés.",
                "Appel de test réussi sur le numéro principal.",
            ],
            next_step: "{agent} envoie la documentation par e-mail.",
            short_summary: "{who} est en service avec {seats} personnes invitées.",
        },
        Ending {
            tags: &["onboarding", "support", "meeting_booked"],
            steps: &[
                Us(&[
                    "Vous connaissez les horaires de toutes les équipes ?",
                    "Qui doit être dans quel groupe ? Vous avez ça quelque part ?",
                ]),
                Them(&[
                    "Pas vraiment. Je dois demander aux responsables.",
                    "C'est compliqué. On a {extra} équipes, avec des horaires différents.",
                ]),
                Us(&[
                    "Alors on s'arrête là, et on finit {day}. À {time}, ça vous va ?",
                    "Je propose un deuxième rendez-vous. {day} à {time} ?",
                ]),
                Them(&["{day}, {time}, c'est parfait.", "Oui. J'aurai la liste d'ici là."]),
                Us(&[
                    "Très bien. En attendant, les appels sonnent chez vous. Je vous envoie un modèle à remplir.",
                    "Parfait. Vous recevrez une invitation et un petit tableau pour les groupes.",
                ]),
                Them(&["Ça m'aide beaucoup.", "Merci, je prépare ça."]),
            ],
            summary: &[
                "Première mise en route avec {who} : {seats} personnes invitées, routage encore à faire.",
                "Les horaires des équipes sont à recueillir.",
            ],
            next_step: "deuxième rendez-vous {day} à {time} ; modèle envoyé.",
            short_summary: "Suite de la mise en route avec {who} {day} à {time}.",
        },
    ],
};

/// Numbers come from another carrier.
pub(super) const PORTING: Scenario = Scenario {
    topic: Topic::Porting,
    weight: 5,
    inbound: &[Them(&[
        "Je voulais savoir où en est la portabilité de nos {lines} numéros.",
        "C'est au sujet de la portabilité, dossier {ticket}. Je n'ai pas de nouvelles depuis une semaine.",
    ])],
    outbound: &[
        Us(&[
            "Je vous appelle pour la portabilité de vos {lines} numéros. J'ai du nouveau.",
            "J'ai des nouvelles de votre dossier de portabilité, le {ticket}.",
        ]),
        Them(&[
            "Ah, très bien. On a hâte de changer.",
            "Enfin ! Les numéros basculent quand ?",
        ]),
    ],
    body: &[
        LOOK_UP,
        Us(&[
            "J'ai la demande ici : {lines} numéros, transmise à l'ancien opérateur {date}.",
            "Alors, {lines} numéros d'un seul bloc, envoyés {date}.",
        ]),
        Them(&["Et qu'est-ce qu'ils disent ?", "C'est bien ça. Et alors ?"]),
    ],
    endings: &[
        Ending {
            tags: &["porting", "support", "resolved"],
            steps: &[
                Us(&[
                    "C'est confirmé. Les numéros basculent {date2} à {time}.",
                    "Bonne nouvelle : c'est accepté, la date est fixée, {date2} à {time}.",
                ]),
                Them(&[
                    "Est-ce qu'on sera coupés entre-temps ?",
                    "L'interruption dure combien de temps ?",
                ]),
                Us(&[
                    "Quelques minutes tout au plus. Par sécurité, on renvoie tout vers votre numéro provisoire.",
                    "Moins de dix minutes en général. Vos postes sont déjà actifs chez nous, vous n'avez rien à faire.",
                ]),
                Them(&[
                    "Très bien. Et l'ancien contrat ?",
                    "Et le contrat avec l'ancien opérateur ?",
                ]),
                Us(&[
                    "Il se termine avec la portabilité, le plus souvent. Surtout, ne le résiliez pas avant, vous pourriez perdre les numéros.",
                    "Attendez que les numéros soient arrivés avant de résilier. C'est le point le plus important.",
                ]),
                Them(&[
                    "Compris, on n'y touche pas.",
                    "D'accord, je préviens la comptabilité.",
                ]),
            ],
            summary: &[
                "Portabilité de {lines} numéros pour {who}, dossier {ticket}, confirmée {date2} à {time}.",
                "L'ancien contrat est conservé jusqu'au transfert.",
            ],
            next_step: "renvoi vers le numéro provisoire {date2}.",
            short_summary: "{lines} numéros transférés {date2} pour {who}.",
        },
        Ending {
            tags: &["porting", "support", "follow_up"],
            steps: &[
                Us(&[
                    "Ils ont refusé. L'adresse du formulaire n'est pas celle de leur dossier.",
                    "Malheureusement, c'est revenu. Le nom du titulaire ne correspond pas.",
                ]),
                Them(&[
                    "Ah zut. On a déménagé l'an dernier, ça doit être ça.",
                    "Le contrat est encore à notre ancien nom, c'est possible.",
                ]),
                Us(&[
                    "Ça vient de là. Vous pourriez m'envoyer leur dernière facture ? On y voit exactement leurs données.",
                    "Je m'en doutais. Avec une copie de leur dernière facture, je corrige le formulaire pour vous.",
                ]),
                Them(&["Je peux le faire aujourd'hui.", "Bien sûr, à quelle adresse ?"]),
                Us(&[
                    "Répondez à l'e-mail du dossier {ticket}. Je renvoie la demande le jour même, ensuite comptez {weeks} semaines.",
                    "En réponse au dossier {ticket}. Avec les bonnes données, ils confirment sous {weeks} semaines.",
                ]),
                Them(&["D'accord, vous l'aurez ce soir.", "Très bien, je vous l'envoie."]),
            ],
            summary: &[
                "Portabilité de {lines} numéros pour {who}, dossier {ticket}, refusée : les données ne correspondent pas à celles de l'ancien opérateur.",
                "{first} envoie la dernière facture de l'opérateur.",
            ],
            next_step: "{agent} corrige et renvoie la demande ; environ {weeks} semaines.",
            short_summary: "Portabilité refusée pour {who} ; demande corrigée à suivre.",
        },
        Ending {
            tags: &["porting", "support", "callback"],
            steps: &[
                Us(&[
                    "Toujours rien, et le délai est dépassé. Je les appelle aujourd'hui même.",
                    "Ils n'ont pas répondu. C'est lent, même pour eux.",
                ]),
                Them(&[
                    "C'est embêtant. Les cartes de visite sont imprimées, et on voulait basculer {day}.",
                    "On voulait basculer {day}. C'est encore réaliste ?",
                ]),
                Us(&[
                    "Je ne peux pas le promettre. Mais je fais remonter le dossier, et je vous appelle d'ici {day}.",
                    "Franchement, ce sera juste. Je les relance, et je vous rappelle d'ici {day} dans tous les cas.",
                ]),
                Them(&[
                    "Oui, même s'il n'y a rien de nouveau.",
                    "D'accord, tenez-moi au courant.",
                ]),
            ],
            summary: &[
                "Portabilité de {lines} numéros pour {who}, dossier {ticket} : pas de réponse de l'ancien opérateur, délai dépassé.",
                "{agent} relance l'opérateur.",
            ],
            next_step: "rappeler {first} d'ici {day}, avec ou sans nouvelles.",
            short_summary: "Portabilité retardée par l'ancien opérateur pour {who} ; point d'ici {day}.",
        },
    ],
};

/// The connection to the CRM.
pub(super) const INTEGRATION: Scenario = Scenario {
    topic: Topic::Integration,
    weight: 4,
    inbound: &[Them(&[
        "On utilise {crm} comme CRM. Est-ce que {us} peut y noter les appels ?",
        "C'est au sujet de l'intégration {crm}. Depuis {day}, plus aucun appel n'apparaît.",
        "J'essaie de connecter {crm}, et ça ne marche pas.",
    ])],
    outbound: &[
        Us(&[
            "Vous avez demandé la connexion avec {crm}. Je peux la faire avec vous maintenant.",
            "Je vois que votre intégration {crm} est en échec depuis {day}. Je voudrais vous aider à la réparer.",
        ]),
        Them(&[
            "Oui, volontiers. Les commerciaux saisissent tout à la main.",
            "Très bien, je suis devant.",
        ]),
    ],
    body: &[
        Us(&[
            "On va le faire ensemble, c'est dans « Intégrations ». Vous avez les droits d'administration dans {crm} ?",
            "D'accord. Pour ça, il faut les droits d'administration dans {crm}. Vous les avez ?",
        ]),
        Them(&["Je crois que oui.", "Oui, c'est moi qui le gère."]),
        Us(&[
            "Alors cliquez sur « Connecter », et identifiez-vous dans {crm}.",
            "Parfait. Cliquez sur « Connecter », et autorisez l'accès aux contacts et aux activités.",
        ]),
        Them(&[
            "C'est fait... Ça charge.",
            "Ça me demande des autorisations. Voilà, accepté.",
        ]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["integration", "support", "resolved"],
            steps: &[
                Us(&["Ça devrait être vert maintenant.", "Vous voyez le point vert ?"]),
                Them(&["Oui, « Connecté ».", "C'est vert. C'est tout ?"]),
                Us(&[
                    "Presque. Activez « Journal des appels » et « Résumés », et chaque appel arrive sur la bonne fiche.",
                    "C'est tout. Les nouveaux appels arrivent seuls, et j'ai lancé l'import des {days} derniers jours.",
                ]),
                Them(&[
                    "Et si le contact n'est pas dans {crm} ?",
                    "Et les numéros inconnus ?",
                ]),
                Us(&[
                    "Une fiche est créée, ou pas, comme vous voulez. Il y a une option.",
                    "On peut créer les fiches automatiquement. Je laisserais désactivé au début, sinon vous aurez beaucoup d'indésirables.",
                ]),
                Them(&[
                    "C'est logique, je laisse désactivé.",
                    "D'accord. Je vois arriver les premiers appels, c'est super.",
                ]),
            ],
            summary: &[
                "{who} a connecté {crm} pendant l'appel ; appels et résumés arrivent sur les fiches.",
                "Pas de création de fiche pour les numéros inconnus.",
            ],
            next_step: "",
            short_summary: "Intégration {crm} en service pour {who}.",
        },
        Ending {
            tags: &["integration", "support", "follow_up"],
            steps: &[
                Us(&["Qu'est-ce que vous voyez ?", "Il y a un message ?"]),
                Them(&[
                    "Une erreur. « Autorisations insuffisantes ».",
                    "Il dit que le jeton a expiré. Deux fois.",
                ]),
                Us(&[
                    "Je m'en doutais. {crm} a changé ses autorisations. Notre équipe sait traiter ça.",
                    "Je préfère que {colleague} regarde, c'est notre spécialiste.",
                ]),
                Them(&["Ce serait quand ?", "D'accord. Il vous faut un accès chez nous ?"]),
                Us(&[
                    "{colleague} peut faire un partage d'écran {day} à {time}. Il faut {minutes} minutes, sans accès particulier.",
                    "Un partage d'écran avec {colleague} suffit. {day} à {time} ?",
                ]),
                Them(&["{day} à {time}, très bien.", "Ça me convient."]),
            ],
            summary: &[
                "L'intégration {crm} échoue pour {who} : problème d'autorisations.",
                "Partage d'écran avec {colleague} {day} à {time}.",
            ],
            next_step: "{colleague} rétablit la connexion avec {first}.",
            short_summary: "Connexion {crm} en échec pour {who} ; session avec {colleague} {day}.",
        },
        Ending {
            tags: &["integration", "qualified", "upgrade"],
            steps: &[
                Us(&[
                    "Est-ce qu'il parle de votre offre ?",
                    "Ça aurait dû être rapide. Qu'est-ce qui s'affiche ?",
                ]),
                Them(&["« Non inclus dans {plan} ».", "Il dit qu'il nous faut {plan_up}."]),
                Us(&[
                    "En effet, {crm} fait partie de {plan_up}, à {price_up} par poste au lieu de {price}. Mais je peux activer deux semaines d'essai.",
                    "Ah, j'aurais dû vérifier, vous êtes en {plan}. Je peux vous offrir {plan_up} pendant deux semaines.",
                ]),
                Them(&["Et après ?", "Il faut résilier ensuite ?"]),
                Us(&[
                    "Vous repassez en {plan} automatiquement, sauf si vous dites oui. Je vous appelle {day} avant la fin.",
                    "Non, ça s'arrête tout seul. Je vous demanderai avant si vous voulez continuer.",
                ]),
                Them(&["Alors on essaie.", "Très bien, activez-le."]),
            ],
            summary: &[
                "{who} veut connecter {crm}, ce qui demande l'offre {plan_up} (actuellement {plan}).",
                "Essai de {plan_up} activé pour deux semaines.",
            ],
            next_step: "{agent} appelle avant la fin de l'essai.",
            short_summary: "{who} essaie {plan_up} deux semaines pour son intégration {crm}.",
        },
    ],
};
