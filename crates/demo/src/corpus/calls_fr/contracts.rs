//! Renewing contracts and keeping customers, in French.

use crate::corpus::script::Step::{Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// A contract is about to end.
pub(super) const RENEWAL: Scenario = Scenario {
    topic: Topic::Renewal,
    weight: 4,
    inbound: &[Them(&[
        "Notre contrat arrive à échéance, et je voudrais savoir comment ça se passe.",
        "J'ai reçu un mail qui dit que l'abonnement se renouvelle {date2}. J'aimerais parler des conditions avant.",
    ])],
    outbound: &[
        Us(&[
            "Votre contrat se renouvelle {date2}, et je voulais en parler avec vous avant.",
            "C'est bientôt l'échéance : votre abonnement se renouvelle {date2}. Je voulais savoir si tout vous convient.",
        ]),
        Them(&[
            "Vous faites bien d'appeler, c'était sur ma liste.",
            "Déjà ? Le temps passe vite. D'accord, parlons-en.",
        ]),
    ],
    body: &[
        Us(&[
            "Vous êtes en {plan} avec {seats} postes, {monthly} par mois, en contrat annuel. Comment ça se passe ?",
            "Alors, {seats} postes en {plan}, {yearly} par an. Ça vous convient dans l'ensemble ?",
        ]),
        Them(&[
            "Dans l'ensemble, oui. L'application est très bien, les postes fixes un peu moins.",
            "Oui, c'est stable. On a eu une mauvaise journée, mais l'assistance a vite réagi.",
            "C'est bien. On n'utilise juste pas tous les postes.",
        ]),
        Maybe(&[
            Us(&[
                "Est-ce qu'il vous manque une fonction ?",
                "Qu'est-ce qu'on devrait améliorer, selon vous ?",
            ]),
            Them(&[
                "Une boîte partagée pour les SMS, ce serait bien.",
                "La recherche. Parfois je dois retrouver un vieil appel.",
            ]),
        ]),
        Us(&[
            "C'est noté, je transmets. Et le nombre de postes, c'est toujours le bon ?",
            "Et vous serez combien l'année prochaine ?",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["renewal", "won", "pricing"],
            steps: &[
                Them(&[
                    "Toujours {seats}. Mais j'attends un petit geste pour une année de plus.",
                    "On reste à {seats}. Il y a une remise pour la fidélité ?",
                ]),
                Us(&[
                    "Si vous renouvelez pour un an aujourd'hui, je vous fais {discount}. Soit {monthly_discounted} par mois, et {saving} d'économie sur l'année.",
                    "Pour un renouvellement annuel, {discount}. Vous paieriez {monthly_discounted} par mois au lieu de {monthly}.",
                ]),
                Them(&[
                    "C'est correct. On y va.",
                    "{discount}, très bien. On repart pour un an.",
                ]),
                Us(&[
                    "Parfait. Je vous envoie le renouvellement à signer, il prend effet {date2}.",
                    "Merci pour votre confiance. Le document tient sur une page, vous l'aurez aujourd'hui.",
                ]),
                Them(&["D'accord, je signe tout de suite.", "Parfait."]),
            ],
            summary: &[
                "{who} renouvelle l'offre {plan} avec {seats} postes pour un an, à partir de la date d'échéance ({date2}).",
                "{discount} de remise : {monthly_discounted} par mois, {saving} d'économie par an.",
            ],
            next_step: "renouvellement envoyé pour signature.",
            short_summary: "{who} renouvelle pour un an avec {discount} de remise.",
        },
        Ending {
            tags: &["renewal", "follow_up"],
            steps: &[
                Them(&[
                    "Moins. {extra} personnes sont parties, {fewer_seats} suffiraient.",
                    "Il nous en faudrait {fewer_seats}. Il y a {extra} postes vides.",
                ]),
                Us(&[
                    "Alors on renouvelle avec {fewer_seats} postes, ce qui fait {monthly_fewer} par mois.",
                    "Pas de problème, j'en retire {extra}. Ça revient à {monthly_fewer} par mois.",
                ]),
                Them(&[
                    "Très bien. Je peux l'avoir par écrit ? Il me faut une validation.",
                    "D'accord. Envoyez-moi ça, je le fais valider.",
                ]),
                Us(&[
                    "Vous l'aurez aujourd'hui. L'échéance est {date2}, une réponse d'ici {day} serait idéale.",
                    "C'est parti. Je vous rappelle {day}, pour ne pas manquer l'échéance ?",
                ]),
                Them(&["{day}, c'est bon.", "Vous l'aurez d'ici {day}."]),
            ],
            summary: &[
                "Renouvellement à prévoir {date2} pour {who} : de {seats} à {fewer_seats} postes, {monthly_fewer} par mois.",
                "Validation interne nécessaire.",
            ],
            next_step: "proposition écrite aujourd'hui, réponse d'ici {day}.",
            short_summary: "{who} devrait renouveler avec {fewer_seats} postes ; validation d'ici {day}.",
        },
    ],
};

/// A customer wants to leave.
pub(super) const CANCELLATION: Scenario = Scenario {
    topic: Topic::Cancellation,
    weight: 4,
    inbound: &[Them(&[
        "Je souhaite résilier notre abonnement.",
        "On a décidé d'arrêter. Quel est le préavis ?",
        "Je voudrais fermer notre compte. C'est avec vous que ça se passe ?",
    ])],
    outbound: &[
        Us(&[
            "Nous avons reçu votre demande de résiliation, et j'aimerais comprendre ce qui s'est passé.",
            "Vous nous avez envoyé une résiliation {date}. Je vous appelle pour la confirmer, et pour voir si on peut arranger les choses.",
        ]),
        Them(&[
            "Oui, c'est bien ça. Ça n'a rien de personnel.",
            "En effet. La décision est à peu près prise.",
        ]),
    ],
    body: &[
        Us(&[
            "C'est bien dommage. Puis-je vous en demander la raison ?",
            "Ça me fait de la peine. Qu'est-ce qui vous amène à partir ?",
        ]),
        Them(&[
            "Le coût, surtout. {monthly} par mois, c'est beaucoup pour l'usage qu'on en a.",
            "On est moins nombreux. On paie {seats} postes, et la moitié ne sert pas.",
            "La dernière panne nous a coûté une journée. Depuis, on regarde ailleurs.",
        ]),
        LOOK_UP,
    ],
    endings: &[
        Ending {
            tags: &["cancellation", "churn_risk", "retained"],
            steps: &[
                Us(&[
                    "Je vois {seats} postes, mais seulement {fewer_seats} ont servi le mois dernier. Et si on passait à {fewer_seats}, avec {discount} de remise pendant six mois ?",
                    "Avant de partir : {extra} de vos {seats} postes n'ont pas servi du tout. Je les retire, et je vous fais {discount} sur le reste.",
                ]),
                Them(&[
                    "Ça ferait combien ?",
                    "Et il n'y a pas d'engagement de deux ans derrière ?",
                ]),
                Us(&[
                    "Moins de {monthly_fewer} par mois, et vous pouvez arrêter quand vous voulez.",
                    "Aucun engagement. Moins de {monthly_fewer}, résiliable chaque mois.",
                ]),
                Them(&[
                    "Là, c'est différent. On essaie six mois.",
                    "Dans ce cas, on peut rester pour l'instant.",
                ]),
                Us(&[
                    "Merci de nous laisser une chance. Je fais le changement, et je vous rappelle dans {weeks} semaines.",
                    "C'est une très bonne nouvelle. Le changement est immédiat, vous aurez la confirmation aujourd'hui.",
                ]),
                Them(&["D'accord. Merci d'avoir fait simple.", "Très bien, on verra."]),
            ],
            summary: &[
                "{who} voulait résilier ({seats} postes, {monthly} par mois).",
                "Maintien avec {fewer_seats} postes et {discount} de remise pendant six mois, sans engagement.",
            ],
            next_step: "{agent} fait le point dans {weeks} semaines.",
            short_summary: "{who} renonce à résilier : {fewer_seats} postes et {discount} de remise.",
        },
        Ending {
            tags: &["cancellation", "billing", "refund"],
            steps: &[
                Us(&[
                    "Je pourrais vous proposer {discount} de remise. Est-ce que ça aiderait ?",
                    "Y a-t-il quelque chose à faire, une offre plus petite ou {discount} de remise ?",
                ]),
                Them(&[
                    "Non merci, c'est décidé. Mais on a payé d'avance, il reste {prepaid_months} mois. On a droit à un remboursement ?",
                    "C'est gentil, mais non. Et les {prepaid_months} mois facturés d'avance ?",
                ]),
                Us(&[
                    "Ces {prepaid_months} mois vous seront remboursés, bien sûr, à la clôture du compte.",
                    "Oui, les mois non utilisés sont remboursés. Ils apparaîtront en avoir sur la dernière facture.",
                ]),
                Them(&[
                    "Très bien. Et nos numéros ?",
                    "D'accord. On peut garder nos {lines} numéros ?",
                ]),
                Us(&[
                    "Ils sont à vous. Lancez d'abord la portabilité chez le nouvel opérateur, et on clôture {date2}.",
                    "Oui, mais il ne faut pas clôturer avant le transfert. Je propose {date2} comme dernier jour.",
                ]),
                Them(&[
                    "{date2}, d'accord. Confirmez-le-moi par e-mail.",
                    "Ça me va. Envoyez-moi une confirmation, s'il vous plaît.",
                ]),
            ],
            summary: &[
                "{who} résilie ; {discount} de remise proposés, refusés.",
                "{prepaid_months} mois payés d'avance à rembourser avec la dernière facture.",
                "Clôture {date2}, après le transfert des {lines} numéros.",
            ],
            next_step: "confirmation écrite par e-mail, remboursement après la clôture.",
            short_summary: "{who} résilie {date2} ; remboursement de {prepaid_months} mois payés d'avance.",
        },
        Ending {
            tags: &["cancellation", "churn_risk", "escalated"],
            steps: &[
                Us(&[
                    "Vous me laissez jusqu'à {day} ? Je voudrais que notre équipe de direction regarde votre dossier.",
                    "Je n'aimerais pas vous perdre pour ça. {colleague} peut vous appeler {day} avec une proposition ?",
                ]),
                Them(&[
                    "Essayez, mais je ne promets rien.",
                    "Bon. Un appel. Si ce n'est pas convaincant, on part.",
                ]),
                Us(&[
                    "C'est honnête. J'enregistre votre résiliation à la date d'aujourd'hui, vous ne perdez rien. {colleague} s'occupe du reste.",
                    "Merci. Le préavis court de toute façon à partir d'aujourd'hui, et {colleague} vous appelle.",
                ]),
                Them(&[
                    "Très bien, c'était mon souci.",
                    "D'accord, j'attends l'appel {day}.",
                ]),
            ],
            summary: &[
                "{who} veut résilier ({seats} postes en {plan}).",
                "Résiliation enregistrée à la date du jour ; une dernière proposition reste possible.",
            ],
            next_step: "{colleague} appelle {day} avec une offre.",
            short_summary: "Résiliation demandée par {who} ; {colleague} appelle {day}.",
        },
    ],
};
