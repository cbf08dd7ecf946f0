//! Messages left on the voicemail, in French.

use super::script::Step::{Maybe, Them};
use super::script::{Ending, Message};
use super::tags::Topic;

/// French voicemails, each of 8 to 40 seconds.
pub(super) const MESSAGES: &[Message] = &[
    Message {
        topic: Topic::BillingQuestion,
        ending: Ending {
            tags: &["voicemail", "billing", "callback"],
            steps: &[
                Them(&["Bonjour, ici {caller}.", "Oui, bonjour, c'est {caller}."]),
                Them(&[
                    "J'ai une question de facturation, sur la facture {invoice}. Elle est de {monthly_total}, et je m'attendais à {monthly}.",
                    "C'est au sujet de la facture {invoice}. Il y a {overcharge} de plus que d'habitude, et je ne vois pas pourquoi.",
                ]),
                Maybe(&[Them(&[
                    "C'est sans doute tout bête, mais je dois l'expliquer à notre comptable.",
                    "Je voudrais comprendre avant que le prélèvement parte.",
                ])]),
                Them(&[
                    "Vous pouvez me rappeler ? Idéalement {day}, avant {time2}. Merci, à bientôt.",
                    "Rappelez-moi quand vous avez une minute, je suis là jusqu'à {time2}. Merci beaucoup.",
                ]),
            ],
            summary: &[
                "{who} a une question sur la facture {invoice}, plus élevée que d'habitude de {overcharge}.",
            ],
            next_step: "rappeler.",
            short_summary: "{who} demande un rappel au sujet de la facture {invoice}.",
        },
    },
    Message {
        topic: Topic::Refund,
        ending: Ending {
            tags: &["voicemail", "billing", "refund"],
            steps: &[
                Them(&["Bonjour, {caller}.", "Bonjour, c'est {caller}."]),
                Them(&[
                    "J'appelle pour le remboursement de la commande {order}. On a renvoyé les {devices} il y a {weeks} semaines, et on n'a toujours rien reçu.",
                    "Vous nous aviez promis un remboursement de {credit}, et il n'est pas sur la facture {invoice}.",
                ]),
                Them(&[
                    "Vous pouvez vérifier et me tenir au courant ? Par e-mail, c'est très bien aussi. Merci.",
                    "Merci de voir avec le service de facturation et de me rappeler. Bonne journée.",
                ]),
            ],
            summary: &["{who} attend un remboursement promis et demande une vérification."],
            next_step: "vérifier le remboursement et répondre par téléphone ou par e-mail.",
            short_summary: "{who} demande où en est un remboursement.",
        },
    },
    Message {
        topic: Topic::Outage,
        ending: Ending {
            tags: &["voicemail", "outage", "urgent"],
            steps: &[
                Them(&[
                    "Bonjour, {caller}. C'est urgent.",
                    "Oui, bonjour, ici {caller}. On a un gros problème.",
                ]),
                Them(&[
                    "Depuis une heure environ, {symptom}. C'est pour tout le monde, pas seulement moi.",
                    "En ce moment, {symptom}, et {seats} personnes ne peuvent plus travailler.",
                ]),
                Maybe(&[Them(&[
                    "On a tout redémarré, ça n'a rien changé.",
                    "D'après notre informaticien, internet fonctionne.",
                ])]),
                Them(&[
                    "Rappelez-moi sur mon portable dès que vous entendez ce message, s'il vous plaît.",
                    "Quelqu'un peut me rappeler tout de suite ? Sur ce numéro, c'est mon portable. Merci.",
                ]),
            ],
            summary: &["{who} signale une panne : {symptom}."],
            next_step: "rappeler immédiatement, sur le portable.",
            short_summary: "Urgent : panne signalée par {who}.",
        },
    },
    Message {
        topic: Topic::Demo,
        ending: Ending {
            tags: &["voicemail", "prospect", "callback"],
            steps: &[
                Them(&[
                    "Bonjour, je m'appelle {caller}.",
                    "Bonjour, {caller}. On ne se connaît pas encore.",
                ]),
                Them(&[
                    "On est une équipe de {seats} personnes, et on cherche une nouvelle solution de téléphonie. J'ai vu votre site, et j'aimerais une démonstration.",
                    "Une collègue m'a parlé de vous. On est environ {seats} au téléphone, notre contrat se termine bientôt, et je voudrais voir ce que vous proposez.",
                ]),
                Them(&[
                    "Je peux me libérer {day} vers {time}, ou {day2} après {time2}. Au plaisir de vous entendre.",
                    "Rappelez-moi {day}, n'importe quand avant {time2}. Merci !",
                ]),
            ],
            summary: &["{who} cherche une solution pour {seats} personnes et souhaite une démonstration."],
            next_step: "rappeler et fixer un rendez-vous, de préférence {day}.",
            short_summary: "{who} souhaite une démonstration pour {seats} personnes.",
        },
    },
    Message {
        topic: Topic::Porting,
        ending: Ending {
            tags: &["voicemail", "porting", "follow_up"],
            steps: &[
                Them(&["Bonjour, c'est {caller}.", "Rebonjour, ici {caller}."]),
                Them(&[
                    "Je me demandais où en est la portabilité de nos {lines} numéros, dossier {ticket}. La demande est partie {date}, et je n'ai pas de nouvelles.",
                    "Notre ancien opérateur vient de m'appeler, il dit n'avoir jamais reçu la demande. C'est le dossier {ticket}, {lines} numéros.",
                ]),
                Them(&[
                    "Vous pouvez regarder où ça bloque ? On voudrait annoncer le changement {day}. Merci.",
                    "Dites-moi ce qu'il en est, plutôt par e-mail, avec le numéro de dossier. Merci à vous.",
                ]),
            ],
            summary: &["{who} se renseigne sur la portabilité de {lines} numéros (dossier {ticket})."],
            next_step: "vérifier l'état du dossier et donner des nouvelles.",
            short_summary: "{who} demande où en est la portabilité, dossier {ticket}.",
        },
    },
    Message {
        topic: Topic::Delivery,
        ending: Ending {
            tags: &["voicemail", "delivery"],
            steps: &[
                Them(&["Bonjour, {caller}.", "Bonjour, ici {caller}."]),
                Them(&[
                    "On attend toujours la commande {order}, {qty} {devices}. Ils devaient arriver {day}.",
                    "C'est pour la commande {order}. Vous avez livré {extra} {devices}, mais on en a commandé {qty}, ça ne correspond pas.",
                ]),
                Them(&[
                    "Vous pouvez me dire ce qui se passe, et quand on aura tout ? Il nous le faut d'ici {day2}. Merci.",
                    "Un petit appel me rendrait service, ou un lien de suivi. Merci, bonne journée.",
                ]),
            ],
            summary: &["Il manque du matériel de la commande {order} ({qty} {devices}), signalé par {who}."],
            next_step: "vérifier l'envoi et transmettre un lien de suivi.",
            short_summary: "Commande {order} incomplète ou en retard pour {who}.",
        },
    },
    Message {
        topic: Topic::Quote,
        ending: Ending {
            tags: &["voicemail", "quote", "follow_up"],
            steps: &[
                Them(&["Bonjour, ici {caller}.", "Bonjour, c'est {caller}."]),
                Them(&[
                    "J'ai votre devis {quote} sous les yeux. Il nous plaît, mais il nous faudrait finalement {total_seats} postes au lieu de {seats}.",
                    "Merci pour le devis {quote}. Avant que je signe, pourriez-vous le passer à {total_seats} postes ? On a recompté.",
                ]),
                Them(&[
                    "Si vous m'envoyez la nouvelle version d'ici {day}, on peut signer cette semaine. Merci !",
                    "Envoyez-moi le nouveau par e-mail, il revient signé le jour même. Au revoir.",
                ]),
            ],
            summary: &[
                "{who} demande de passer le devis {quote} de {seats} à {total_seats} postes avant signature.",
            ],
            next_step: "envoyer la nouvelle version du devis.",
            short_summary: "{who} attend le devis {quote} avec {total_seats} postes.",
        },
    },
    Message {
        topic: Topic::Onboarding,
        ending: Ending {
            tags: &["voicemail", "onboarding", "support"],
            steps: &[
                Them(&[
                    "Bonjour, ici {caller}, on est nouveaux chez vous.",
                    "Bonjour, {caller}. On a ouvert le compte {date}.",
                ]),
                Them(&[
                    "Tout fonctionne, mais {extra} collègues n'ont jamais reçu leur invitation. J'ai regardé dans les indésirables, il n'y a rien.",
                    "Je bloque sur le routage des appels. Je voudrais que ça sonne d'abord à l'accueil, puis chez tout le monde, et je ne trouve pas où.",
                ]),
                Them(&[
                    "On pourrait regarder ensemble {day} ? J'arrive au bureau à {time}. Merci beaucoup.",
                    "Quelqu'un pourrait m'aider ? Ce n'est pas urgent. Merci d'avance.",
                ]),
            ],
            summary: &["{who} a besoin d'aide pour la mise en route du nouveau compte."],
            next_step: "proposer un court appel de mise en route.",
            short_summary: "{who} demande de l'aide pour la mise en route.",
        },
    },
    Message {
        topic: Topic::Cancellation,
        ending: Ending {
            tags: &["voicemail", "cancellation", "churn_risk"],
            steps: &[
                Them(&["Bonjour, {caller}.", "Oui, bonjour, ici {caller}."]),
                Them(&[
                    "Je voudrais connaître le préavis de notre contrat. On a {seats} postes avec l'offre {plan}, et on réfléchit à résilier.",
                    "On a décidé de ne pas continuer avec {us} après l'échéance. Dites-moi ce que je dois faire pour résilier.",
                ]),
                Maybe(&[Them(&[
                    "Ça n'a rien à voir avec vous, on est simplement moins nombreux.",
                    "Une offre plus petite pourrait nous convenir, s'il y en a une.",
                ])]),
                Them(&[
                    "Merci de me rappeler d'ici {day}.",
                    "Un court appel ou un e-mail suffit. Merci, au revoir.",
                ]),
            ],
            summary: &["{who} envisage de résilier et se renseigne sur les conditions."],
            next_step: "rappeler d'ici {day} et chercher une autre solution.",
            short_summary: "{who} souhaite parler d'une résiliation.",
        },
    },
    Message {
        topic: Topic::PaymentReminder,
        ending: Ending {
            tags: &["voicemail", "billing", "payment"],
            steps: &[
                Them(&[
                    "Bonjour, {caller}, service comptabilité.",
                    "Bonjour, c'est {caller}. Je m'occupe des factures.",
                ]),
                Them(&[
                    "Vous nous avez relancés pour la facture {invoice}. Les {monthly} ont été payés {date}, les courriers ont dû se croiser.",
                    "C'est pour votre relance sur la {invoice} : le paiement de {monthly} est programmé {day}, notre carte a été remplacée.",
                ]),
                Them(&[
                    "Merci de vérifier et d'annuler la relance si tout est réglé.",
                    "Inutile de me rappeler si ça vous convient. Bonne journée.",
                ]),
            ],
            summary: &[
                "{who} répond à la relance sur la facture {invoice} ({monthly}) : paiement fait ou en cours.",
            ],
            next_step: "vérifier le paiement et arrêter la relance.",
            short_summary: "Facture {invoice} : paiement réglé ou en cours selon {who}.",
        },
    },
    Message {
        topic: Topic::OpeningHours,
        ending: Ending {
            tags: &["voicemail", "general"],
            steps: &[
                Them(&["Bonjour, c'est {caller}.", "Bonjour, {caller}."]),
                Them(&[
                    "Vous êtes sans doute déjà fermés. Je voulais juste connaître vos horaires d'été, et savoir si l'assistance répond {day}.",
                    "Je vous appelle un peu tard. Je voulais savoir jusqu'à quelle heure on peut vous joindre {day} cet été, parce qu'on change nos routeurs.",
                ]),
                Them(&[
                    "Un petit SMS suffit. Merci beaucoup.",
                    "Envoyez-moi simplement un SMS avec les horaires, s'il vous plaît. Merci, au revoir.",
                ]),
            ],
            summary: &["{who} demande nos horaires d'été, en particulier {day}."],
            next_step: "répondre par SMS.",
            short_summary: "{who} demande nos horaires d'été pour {day}.",
        },
    },
    Message {
        topic: Topic::Integration,
        ending: Ending {
            tags: &["voicemail", "integration", "support"],
            steps: &[
                Them(&["Bonjour, ici {caller}.", "Bonjour, {caller}."]),
                Them(&[
                    "Nos appels n'apparaissent plus dans {crm}. Ça s'est arrêté {day}, et personne n'a rien changé, à ma connaissance.",
                    "Depuis qu'on a connecté {crm}, chaque appel est noté deux fois. Ça fait sourire, mais les commerciaux se plaignent.",
                ]),
                Them(&[
                    "J'ai aussi ouvert un ticket, le {ticket}. Quelqu'un peut regarder ? Merci d'avance.",
                    "Rappelez-moi, je peux partager mon écran jusqu'à {time2}. Merci.",
                ]),
            ],
            summary: &[
                "{who} signale un souci avec l'intégration {crm} : les appels n'y sont pas notés correctement.",
            ],
            next_step: "analyser et rappeler.",
            short_summary: "Souci d'intégration {crm} signalé par {who}.",
        },
    },
];
