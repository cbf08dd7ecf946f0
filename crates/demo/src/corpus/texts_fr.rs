//! Text messages in French.

use super::script::Step::{Maybe, OneOf, Them, Us};
use super::texts::Messages;

/// French text messages.
pub(super) const MESSAGES: Messages = Messages {
    exchanges: &[
        // An appointment is confirmed or moved.
        &[
            Us(&[
                "Bonjour {first}, je vous confirme notre rendez-vous {day} à {time}. {agent}, {us}",
                "Bonjour {first}, toujours d'accord pour notre appel {day} à {time} ? {agent} ({us})",
            ]),
            Them(&[
                "Oui, c'est noté, merci",
                "C'est bon pour moi, à {day} !",
                "Confirmé, merci {agent}",
            ]),
            Maybe(&[Us(&[
                "Parfait, le lien est dans l'invitation.",
                "Très bien, à {day} !",
            ])]),
        ],
        &[
            Us(&[
                "Bonjour {first}, petit rappel : votre démonstration a lieu {day} à {time}. Répondez ici en cas d'empêchement. {agent}, {us}",
            ]),
            Them(&[
                "Peut-on décaler à {day2} ? J'ai un imprévu",
                "Toutes mes excuses, il faut décaler. {day2}, ce serait possible ?",
            ]),
            Us(&["Bien sûr, {day2} à {time2} ?", "Pas de souci. {day2}, {time2} ?"]),
            Them(&[
                "Parfait, merci !",
                "Oui, très bien",
                "{time2} c'est bon, merci pour votre compréhension",
            ]),
            Maybe(&[Us(&[
                "C'est fait, vous recevez une nouvelle invitation.",
                "C'est décalé, à {day2} !",
            ])]),
        ],
        // Billing.
        &[
            Them(&[
                "Bonjour {agent}, avez-vous reçu notre paiement pour la {invoice} ?",
                "Bonjour, la facture {invoice} est-elle bien réglée de votre côté ?",
            ]),
            Us(&[
                "Bonjour {first}, oui, {monthly} reçus {date}. Tout est en ordre !",
                "Je vérifie... Oui, c'est arrivé {date}, merci !",
                "Pas encore, mais ça peut prendre un jour ou deux. Je vous préviens dès réception.",
            ]),
            Maybe(&[Them(&["D'accord, merci", "Merci d'avoir vérifié !"])]),
        ],
        &[
            Them(&[
                "Des nouvelles de notre remboursement ? {overcharge} sur la facture {invoice}",
                "Bonjour, on aura le remboursement de la {invoice} quand ?",
            ]),
            Us(&[
                "Bonjour {first}, il est parti {date}. Comptez {days} jours ouvrés.",
                "Le remboursement de {overcharge} est en route, {first}. Votre banque met jusqu'à {days} jours ouvrés.",
            ]),
            Them(&[
                "D'accord, je surveille. Merci",
                "Parfait, merci {agent}",
                "C'est arrivé à l'instant, merci !",
            ]),
        ],
        &[
            Us(&[
                "Bonjour {first}, la facture {invoice} de {monthly} est encore ouverte. Pour régler par carte : pay.calderwyn.example/{invoice}",
                "Bonjour {first}, petit rappel : la facture {invoice} ({monthly}) était à régler {date}. Une question ? {agent}",
            ]),
            OneOf(&[
                &[
                    Them(&[
                        "Oups, complètement oublié. Je paie tout de suite",
                        "C'est prévu {day}",
                    ]),
                    Us(&["Merci {first} !", "Parfait, merci. J'ai arrêté les relances."]),
                ],
                &[
                    Them(&[
                        "Vous pouvez me renvoyer la facture s'il vous plaît ?",
                        "Je ne la trouve plus, vous avez une copie ?",
                    ]),
                    Us(&[
                        "Elle est de nouveau dans votre boîte mail.",
                        "Bien sûr, je viens de vous l'envoyer par e-mail.",
                    ]),
                    Maybe(&[Them(&["Bien reçu, merci", "Merci, c'est payé !"])]),
                ],
            ]),
        ],
        // Support.
        &[
            Them(&[
                "Bonjour, encore une panne : {symptom}",
                "Bonjour {agent}, petite urgence ici, {symptom}",
            ]),
            Us(&[
                "Je regarde tout de suite. C'est pour tout le monde ?",
                "Aïe, je m'en occupe {first}. Tout le monde est touché ?",
            ]),
            Them(&[
                "Tout le monde",
                "Oui, les {seats} postes",
                "Seulement au bureau, en télétravail ça marche",
            ]),
            Us(&[
                "Redémarrez la box et dites-moi si ça va mieux.",
                "J'ai trouvé, c'est chez nous. Donnez-nous {minutes} minutes.",
            ]),
            Them(&[
                "Ça remarche !! Merci",
                "C'est rétabli, super",
                "C'est bon maintenant. C'était quoi ?",
            ]),
            Maybe(&[Us(&[
                "Très bien ! Je vous envoie un petit compte rendu, ticket {ticket}.",
                "Tant mieux. Les détails sont dans le ticket {ticket}.",
            ])]),
        ],
        &[
            OneOf(&[
                &[
                    Them(&[
                        "Comment je change l'annonce de ma messagerie ?",
                        "Bonjour, où se cache l'annonce de la messagerie ?",
                    ]),
                    Us(&[
                        "Paramètres > Numéros > votre numéro, c'est tout en bas. Dites-moi si vous ne trouvez pas !",
                    ]),
                ],
                &[
                    Them(&[
                        "Petite question : où est-ce que j'ajoute un collègue ?",
                        "Bonjour {agent}, on a une nouvelle collègue, comment je l'ajoute ?",
                    ]),
                    Us(&[
                        "Paramètres > Utilisateurs. Je peux aussi le faire pour vous.",
                        "Paramètres > Utilisateurs > Inviter. Ça fera un poste de plus.",
                    ]),
                ],
            ]),
            Maybe(&[Them(&["Trouvé, merci !", "Ah oui, le voilà. Merci {agent}"])]),
        ],
        // Delivery.
        &[
            Us(&[
                "Bonjour {first}, vos {qty} {devices} (commande {order}) sont partis, livraison prévue {day}. {agent}",
                "Bonne nouvelle {first} : la commande {order} est en route, arrivée {day}.",
            ]),
            OneOf(&[
                &[Them(&[
                    "Super, merci !",
                    "Parfait, juste à temps",
                    "Merci {agent} 👍",
                ])],
                &[
                    Them(&[
                        "Merci. On peut déposer le colis à l'accueil ?",
                        "Très bien. Ils peuvent passer le matin ?",
                    ]),
                    Us(&[
                        "Oui, je l'ai noté pour le transporteur.",
                        "J'ai transmis, ça ne devrait pas poser de souci.",
                    ]),
                    Maybe(&[Them(&["👍 merci", "Parfait"])]),
                ],
            ]),
        ],
        &[
            Them(&[
                "Toujours rien ici, commande {order}. C'était prévu {day} ?",
                "Bonjour {agent}, où sont nos {devices} ?",
            ]),
            Us(&[
                "Je vois avec le transporteur, un instant.",
                "Toutes mes excuses {first}. Je regarde.",
            ]),
            Us(&[
                "Le colis est au dépôt, nouvelle livraison {day2} avant midi.",
                "Ils repassent {day2}. J'ai demandé qu'ils vous appellent avant.",
            ]),
            Them(&["D'accord merci", "Bon, va pour {day2}. Merci d'avoir regardé"]),
        ],
        // Sales.
        &[
            Us(&[
                "Bonjour {first}, j'ai essayé de vous joindre pour le devis {quote}. Vous avez pu le lire ? {agent}, {us}",
                "Bonjour {first}, avez-vous pu regarder le devis {quote} ? Je reste à votre disposition. {agent}",
            ]),
            Them(&[
                "Oui, mais je suis en réunion toute la journée. Plutôt {day} après {time}",
                "Oui ! Appelez-moi {day} à {time} ?",
                "Pas encore, plutôt en fin de semaine",
            ]),
            Us(&["Parfait, à très vite.", "Merci, rien ne presse."]),
        ],
        &[
            OneOf(&[
                &[
                    Them(&[
                        "Bonjour, c'est {caller}. {plan_up}, c'est combien par poste ?",
                        "Bonjour {agent}, c'était quoi déjà le tarif de {plan_up} ?",
                    ]),
                    Us(&[
                        "Bonjour {first}, {plan_up} est à {price_up} par poste. Je vous fais un devis ?",
                        "{price_up} par poste et par mois. Je peux vous préparer un devis.",
                    ]),
                ],
                &[
                    Them(&[
                        "Petite question, combien pour {total_seats} postes avec l'offre {plan} ?",
                        "Ça coûterait combien pour {total_seats} personnes ? En {plan}, comme maintenant",
                    ]),
                    Us(&[
                        "Ça fait {monthly_total} par mois avec {plan} pour {total_seats} postes, sans frais d'installation. Je vous l'envoie en devis ?",
                    ]),
                ],
            ]),
            Them(&[
                "Oui s'il vous plaît",
                "Oui, la direction le veut par écrit",
                "Volontiers. Par e-mail si possible",
            ]),
            Maybe(&[Us(&["C'est parti : devis {quote}.", "Entendu, bonne journée !"])]),
        ],
        // A missed call.
        &[
            Us(&[
                "Bonjour {first}, j'ai manqué votre appel. C'est urgent ? {agent}",
                "Bonjour {first}, j'ai vu votre appel. Je suis disponible après {time}.",
            ]),
            OneOf(&[
                &[
                    Them(&[
                        "Rien d'urgent, rappelez quand vous pouvez",
                        "C'est réglé entre-temps, merci !",
                    ]),
                    Maybe(&[Us(&[
                        "Parfait. Vous savez où me trouver.",
                        "Très bien, bonne journée !",
                    ])]),
                ],
                &[
                    Them(&[
                        "C'était pour la portabilité, dossier {ticket}",
                        "J'ai une question de facturation, sur la {invoice}",
                    ]),
                    Us(&[
                        "Très bien ! Je vous appelle à {time2}.",
                        "Je regarde, et je vous appelle à {time2}.",
                    ]),
                    Maybe(&[Them(&["Parfait, merci", "D'accord 👍 merci"])]),
                ],
            ]),
        ],
        // Summer.
        &[
            Them(&[
                "Vous êtes ouverts cet été ?",
                "Bonjour, quels sont vos horaires d'été ?",
            ]),
            Us(&[
                "Bonjour {first}, oui, tout l'été du lundi au vendredi à partir de {time}.",
                "Oui {first}, on reste là tout l'été. Les jours fériés, il y a la ligne d'urgence.",
            ]),
            Maybe(&[Them(&["Parfait, merci et bon été !", "Merci pour l'info"])]),
        ],
        // Porting.
        &[
            Us(&[
                "Bonne nouvelle {first} : vos {lines} numéros basculent {date2} à {time}. Ne résiliez pas l'ancien contrat avant.",
                "Bonjour {first}, la portabilité de vos {lines} numéros est confirmée : {date2}. {agent}",
            ]),
            Them(&["Génial ! On a quelque chose à faire ?", "Enfin ! Merci"]),
            Us(&[
                "Rien du tout, laissez les téléphones branchés.",
                "Rien à faire chez vous. Je vous écris quand c'est terminé.",
            ]),
        ],
        &[Us(&[
            "C'est fait ! Vos {lines} numéros sont chez nous, vous pouvez tester. {agent}",
            "Bonjour {first}, le compte rendu de notre échange et le devis {quote} sont dans votre boîte mail. {agent}",
        ])],
        &[Them(&[
            "Merci pour votre aide aujourd'hui, {agent}. C'est très apprécié !",
            "Bonjour {agent}, rappelez-moi à votre retour s'il vous plaît. {first}",
        ])],
    ],
    ours: &[
        "Bonjour {first}, je vous confirme notre rendez-vous {day} à {time}. {agent}, {us}",
        "Rappel : votre démonstration {us} a lieu {day} à {time2}. STOP pour ne plus recevoir de messages.",
        "Bonjour {first}, je viens d'essayer de vous joindre. Quand puis-je rappeler ? {agent}",
        "Merci pour votre temps {first} ! Le devis {quote} est dans votre boîte mail.",
        "Votre commande {order} est expédiée, livraison prévue {day}. {us}",
        "Le ticket {ticket} est résolu. En cas de besoin, répondez à ce message. {agent}",
        "Bonjour {first}, votre remboursement de {overcharge} est parti. Comptez {days} jours ouvrés.",
        "Bonjour {first}, la facture {invoice} ({monthly}) est à régler avant {date2}. {agent}, {us}",
        "Bonjour {first}, vos numéros basculent {date2} à {time}. Rien à faire de votre côté.",
        "Maintenance dans la nuit de {day}, de brèves coupures sont possibles. Merci de votre compréhension. {us}",
        "Bonjour {first}, {colleague} prend le relais pendant mon absence, jusqu'à {day}. {agent}",
        "Bienvenue chez {us}, {first} ! Votre mise en route est prévue {day} à {time}. {agent}",
    ],
    theirs: &[
        "Bonjour {agent}, pouvez-vous me rappeler [aujourd'hui|après {time}] ? {first}",
        "J'aurai {minutes} minutes de retard, toutes mes excuses !",
        "Merci, j'ai bien reçu le devis. Réponse d'ici {day}.",
        "L'assistance est ouverte {day} ?",
        "Merci d'ajouter {extra} postes à partir de la semaine prochaine. {first}",
        "On a payé la {invoice} {date}, vous pouvez vérifier ?",
        "Les {devices} sont arrivés aujourd'hui, merci !",
        "Vous pouvez renvoyer l'invitation ? Je ne la trouve plus.",
        "Petite question : on peut aussi transférer notre numéro de fax ?",
        "Je ne peux pas parler, c'est à quel sujet ?",
        "Qui s'occupe de la facturation chez vous ? {first} {last}",
        "{day} à {time}, ça me va",
    ],
};
