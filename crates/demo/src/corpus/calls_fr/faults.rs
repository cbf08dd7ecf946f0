//! What goes wrong: outages, bugs, deliveries; in French.

use crate::corpus::script::Step::{Hold, OneOf, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

/// Telephony does not work.
pub(super) const OUTAGE: Scenario = Scenario {
    topic: Topic::Outage,
    weight: 5,
    inbound: &[Them(&[
        "On a un problème. Depuis ce matin, {symptom}.",
        "Il y a quelque chose qui ne va pas : {symptom}. C'est assez urgent.",
        "J'espère que vous pouvez faire vite. On a des clients qui attendent, et {symptom}.",
    ])],
    outbound: &[
        Us(&[
            "Notre supervision signale un souci sur vos lignes, je préfère vous appeler. Tout va bien ?",
            "Vous avez ouvert le ticket {ticket} il y a une heure, en urgence. Dites-moi ce que vous constatez.",
        ]),
        Them(&[
            "Ça ne va pas du tout. En ce moment, {symptom}.",
            "Pas vraiment, non. On a un problème : {symptom}.",
        ]),
    ],
    body: &[
        Us(&[
            "Toutes mes excuses, on va chercher ensemble. C'est pour tout le monde ?",
            "D'accord, on s'en occupe. Ça concerne tous les postes ?",
        ]),
        Them(&[
            "Tout le monde, d'après ce que je vois. {seats} personnes.",
            "Tous. Plus personne ne peut travailler.",
            "Tout le bureau. En télétravail, ça a l'air de marcher.",
        ]),
        Us(&[
            "Quelque chose a changé récemment, une nouvelle box ou une nouvelle ligne ?",
            "Il y a eu des travaux sur votre réseau ?",
        ]),
        Them(&[
            "Pas que je sache.",
            "L'informatique a touché au pare-feu, je crois.",
            "Je ne pense pas, mais ce n'est pas mon domaine.",
        ]),
        Us(&[
            "Donnez-moi un instant, je regarde votre trafic.",
            "Une seconde, je vérifie ce qui arrive chez nous.",
        ]),
        Them(&["D'accord.", "Faites vite, s'il vous plaît."]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["outage", "support", "urgent", "resolved"],
            steps: &[
                Us(&[
                    "Je vois. Votre pare-feu modifie nos paquets. Il y a un réglage qui s'appelle en général SIP ALG.",
                    "J'ai trouvé. Les enregistrements partent de chez vous, mais les réponses sont bloquées. C'est le pare-feu.",
                ]),
                Them(&[
                    "J'ai la page d'administration ouverte. C'est où ?",
                    "J'appelle notre informaticien. Voilà, il écoute.",
                ]),
                Us(&[
                    "Dans « Avancé ». Désactivez-le, enregistrez, et redémarrez un téléphone.",
                    "Désactivez SIP ALG, puis débranchez un téléphone dix secondes.",
                ]),
                Them(&["Ça redémarre...", "C'est désactivé. On en redémarre un."]),
                Hold,
                Us(&[
                    "Je le vois s'enregistrer. Essayez un appel.",
                    "De mon côté, c'est bon. Vous pouvez appeler ?",
                ]),
                Them(&[
                    "Ça marche ! Vous nous sauvez.",
                    "Oui, j'entends l'annonce. Enfin !",
                ]),
                Us(&[
                    "Parfait. Redémarrez les autres, et je surveille vos lignes pendant {hours} heures.",
                    "Très bien. Faites pareil avec les autres. Je laisse le ticket {ticket} ouvert jusqu'à demain.",
                ]),
                Them(&["Merci infiniment, on s'y met.", "On fait ça."]),
            ],
            summary: &[
                "Panne signalée par {who} : {symptom}.",
                "Cause : le pare-feu (SIP ALG) bloquait les réponses ; désactivé pendant l'appel, test réussi.",
            ],
            next_step: "redémarrage des autres téléphones ; {agent} surveille les lignes.",
            short_summary: "Panne résolue pour {who} par un réglage du pare-feu.",
        },
        Ending {
            tags: &["outage", "support", "urgent", "escalated"],
            steps: &[
                Us(&[
                    "Ce n'est pas chez vous. Un de nos centres de données est perturbé, nos ingénieurs sont dessus.",
                    "Je viens d'avoir la confirmation : l'incident est chez nous, plusieurs clients sont touchés.",
                ]),
                Them(&[
                    "Ça va durer combien de temps ?",
                    "D'accord, et ce sera réparé quand ?",
                ]),
                Us(&[
                    "On annonce {hours} heures. En attendant, je peux renvoyer le numéro principal vers un portable.",
                    "Je dirais {hours} heures. Je redirige vos appels vers un portable ?",
                ]),
                Them(&[
                    "Oui, vers le mien, celui-ci.",
                    "Ça nous sauverait. Sur ce numéro, s'il vous plaît.",
                ]),
                Us(&[
                    "C'est actif. J'ai ouvert le ticket {ticket}, vous recevrez un SMS à la fin de l'incident.",
                    "C'est fait, essayez. Votre ticket est le {ticket}, avec des nouvelles toutes les trente minutes.",
                ]),
                Them(&[
                    "Ça sonne ici. Bon, on va se débrouiller.",
                    "Ça marche. Merci, ça nous soulage.",
                ]),
            ],
            summary: &[
                "Panne signalée par {who} : {symptom}. L'incident est de notre côté.",
                "Numéro principal renvoyé provisoirement vers un portable.",
            ],
            next_step: "ticket {ticket} ; rétablissement prévu sous {hours} heures, nouvelles par SMS.",
            short_summary: "Panne due à notre incident pour {who} ; appels renvoyés, ticket {ticket}.",
        },
    ],
};

/// A fault in the app.
pub(super) const BUG: Scenario = Scenario {
    topic: Topic::Bug,
    weight: 4,
    inbound: &[Them(&[
        "Je crois que j'ai trouvé un bug dans votre application.",
        "Depuis la dernière mise à jour, l'application se comporte bizarrement.",
        "Il y a un dysfonctionnement dans l'application. Ce n'est pas urgent, mais c'est pénible.",
    ])],
    outbound: &[
        Us(&[
            "Vous avez signalé un bug, ticket {ticket}, et je n'ai pas réussi à le reproduire. On regarde ensemble ?",
            "Je vous appelle au sujet de votre signalement, le ticket {ticket}.",
        ]),
        Them(&["Oui, merci. Ça continue.", "Bien sûr, je vous montre."]),
    ],
    body: &[
        Us(&[
            "Qu'est-ce qui se passe exactement ?",
            "D'accord, racontez-moi étape par étape.",
        ]),
        OneOf(&[
            &[
                Them(&[
                    "Quand j'ouvre un contact, l'historique est vide. Si je recharge, il revient.",
                    "L'historique d'un contact n'apparaît qu'au deuxième clic.",
                ]),
                Us(&["C'est à chaque fois ?", "À chaque fois, ou de temps en temps ?"]),
                Them(&[
                    "Seulement ceux qui ont beaucoup d'appels.",
                    "Une fois sur trois, à peu près.",
                ]),
            ],
            &[
                Them(&[
                    "Les notifications arrivent avec plusieurs minutes de retard. L'appelant a déjà raccroché.",
                    "Mon portable sonne, mais quand je décroche, c'est déjà terminé.",
                ]),
                Us(&[
                    "C'est tout le temps, ou ça dépend ?",
                    "Vous avez remarqué dans quels cas ?",
                ]),
                Them(&[
                    "Surtout quand le téléphone est resté verrouillé.",
                    "En Wi-Fi ça va, dehors non.",
                ]),
            ],
            &[
                Them(&[
                    "L'export des appels s'arrête après mille lignes.",
                    "Si j'exporte les appels du mois, il manque les derniers jours.",
                ]),
                Us(&[
                    "Vous avez mis un filtre, ou essayé un autre navigateur ?",
                    "Pour tous les appels, et dans tous les navigateurs ?",
                ]),
                Them(&[
                    "J'exporte tout, sans filtre. Et dans deux navigateurs.",
                    "J'ai essayé deux navigateurs, sans filtre, c'est pareil.",
                ]),
            ],
        ]),
        Us(&[
            "Quelle version avez-vous ? C'est en bas des paramètres.",
            "Vous pouvez me lire le numéro de version, dans « À propos » ?",
        ]),
        Them(&[
            "Quatre point deux point {minutes}.",
            "C'est marqué quatre point un, build {minutes}.",
        ]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["bug", "support", "follow_up"],
            steps: &[
                Us(&[
                    "Merci. Je le vois aussi ici, c'est donc chez nous. Je transmets aux développeurs, ticket {ticket}.",
                    "J'ai réussi à le reproduire. C'est bien un bug, je le suis sous le ticket {ticket}.",
                ]),
                Them(&[
                    "Il vous faut combien de temps ?",
                    "Et en attendant, je fais comment ?",
                ]),
                Us(&[
                    "Une correction prend environ {days} jours. D'ici là, recharger la page suffit.",
                    "La prochaine version sort dans {days} jours environ. En attendant, relancez l'application.",
                ]),
                Them(&["D'accord, on fera avec.", "Très bien, tenez-moi au courant."]),
                Us(&[
                    "Vous recevrez un e-mail dès que c'est corrigé. Vous pourriez ajouter une capture d'écran au ticket ?",
                    "Je vous tiens au courant. Vous pourriez m'envoyer une capture d'écran ?",
                ]),
                Them(&["Bien sûr.", "Pas de souci."]),
            ],
            summary: &[
                "{who} signale un dysfonctionnement de l'application, reproduit pendant l'appel.",
                "Transmis au développement, ticket {ticket} ; solution provisoire expliquée.",
            ],
            next_step: "correction attendue sous {days} jours environ, information par e-mail.",
            short_summary: "Bug signalé par {who} confirmé, ticket {ticket}.",
        },
        Ending {
            tags: &["bug", "support", "resolved"],
            steps: &[
                Us(&[
                    "C'est une ancienne version. Le défaut est corrigé dans la suivante.",
                    "Je vois, on l'a corrigé la semaine dernière. Vous n'avez pas encore la mise à jour.",
                ]),
                Them(&[
                    "Ah bon ? Elle me dit qu'elle est à jour.",
                    "Ah. Et comment je l'obtiens ?",
                ]),
                Us(&[
                    "Déconnectez-vous, fermez complètement l'application et rouvrez-la.",
                    "Quittez l'application et relancez-la, elle va chercher la nouvelle version.",
                ]),
                Them(&[
                    "Un instant... Le numéro a changé.",
                    "D'accord, j'essaie. Ça se met à jour.",
                ]),
                Us(&[
                    "Très bien. Vous pouvez refaire la même chose ?",
                    "Et maintenant, les mêmes étapes ?",
                ]),
                Them(&[
                    "Ça marche. C'était tout bête.",
                    "Oui, cette fois c'est bon. Super.",
                ]),
            ],
            summary: &[
                "{who} signalait un défaut déjà corrigé dans la version actuelle.",
                "Application mise à jour pendant l'appel ; le défaut a disparu.",
            ],
            next_step: "",
            short_summary: "Application mise à jour avec {who}, défaut résolu.",
        },
    ],
};

/// Devices do not arrive.
pub(super) const DELIVERY: Scenario = Scenario {
    topic: Topic::Delivery,
    weight: 5,
    inbound: &[Them(&[
        "On attend la commande {order}, {qty} {devices}. Ils devaient arriver {day}.",
        "Où sont nos {devices} ? Commande {order}, il y en a {qty}, et rien n'est arrivé.",
        "Le suivi de la commande {order} n'a pas bougé depuis {days} jours.",
    ])],
    outbound: &[
        Us(&[
            "Vous nous avez demandé où en est la commande {order}, je voulais regarder ça avec vous.",
            "J'ai votre message au sujet de la commande {order}, celle qui n'est pas arrivée.",
        ]),
        Them(&[
            "Oui, on attend toujours les {qty} {devices}. C'était prévu {day}.",
            "C'est ça, {qty} {devices}. Ils sont où ?",
        ]),
    ],
    body: &[
        Us(&[
            "Je regarde ce que dit le transporteur. Un instant.",
            "J'ouvre le suivi en même temps que je vous parle.",
        ]),
        Them(&["Allez-y.", "S'il vous plaît, tout le monde les attend."]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["delivery", "support", "follow_up"],
            steps: &[
                Us(&[
                    "Le colis a quitté notre entrepôt {date}. D'après le livreur, il n'y avait personne, il est donc retourné au dépôt.",
                    "Le colis est au dépôt, à une heure de chez vous. Le livreur est passé et n'a trouvé personne.",
                ]),
                Them(&[
                    "Personne ne nous a appelés. Il y a toujours quelqu'un à l'accueil.",
                    "C'est impossible, on est là tous les jours.",
                ]),
                Us(&[
                    "Je vous crois. J'ai demandé une nouvelle livraison {day2}, avant midi. Ça vous convient ?",
                    "Je renvoie une consigne au transporteur : livraison {day2}, avec un appel avant. D'accord ?",
                ]),
                Them(&[
                    "{day2}, c'est bon. Mais il faut que ça marche.",
                    "D'accord. On ouvre les nouveaux bureaux {day2}, donc pas plus tard.",
                ]),
                Us(&[
                    "Si rien n'est là à midi, je vous renvoie {qty} {devices} en express, à nos frais.",
                    "Vous recevrez le lien de suivi par SMS, et je vérifierai {day2}.",
                ]),
                Them(&["Merci de vous en occuper.", "Très bien, c'est rassurant."]),
            ],
            summary: &[
                "Commande {order} ({qty} {devices}) bloquée au dépôt du transporteur pour {who}.",
                "Nouvelle livraison demandée {day2}.",
            ],
            next_step: "{agent} vérifie la livraison {day2}.",
            short_summary: "Commande {order} en retard, livraison {day2} pour {who}.",
        },
        Ending {
            tags: &["delivery", "support", "escalated"],
            steps: &[
                Us(&[
                    "Les {devices} sont en rupture, et le fournisseur repousse la date. On parle de {weeks} semaines.",
                    "Je vous prie de nous excuser, notre fournisseur est en retard. Au plus tôt dans {weeks} semaines.",
                ]),
                Them(&[
                    "{weeks} semaines ? Ce n'est pas possible, on ouvre l'agence avant.",
                    "C'est trop long. Il n'y a pas d'autre solution ?",
                ]),
                Us(&[
                    "Je peux vous prêter du matériel, même usage, modèle précédent, livré {day}.",
                    "Ce que je peux faire : un prêt gratuit, livré {day}, et vous échangez plus tard.",
                ]),
                Them(&["Pour les {qty} ?", "Et ça marche avec notre installation ?"]),
                Us(&[
                    "Pour les {qty}, déjà configurés, il suffit de brancher. Et je déduis {credit} de la commande pour le désagrément.",
                    "Pour tous, et il suffit de brancher. Plus {credit} de moins sur la commande, vu l'attente.",
                ]),
                Them(&[
                    "C'est une bonne solution. On fait ça.",
                    "Bon, d'accord pour le prêt.",
                ]),
            ],
            summary: &[
                "Commande {order} ({qty} {devices}) en rupture pour {who}, {weeks} semaines de retard.",
                "Prêt de matériel accepté, {credit} déduits de la commande.",
            ],
            next_step: "livraison du matériel de prêt {day}.",
            short_summary: "Commande {order} retardée de {weeks} semaines ; prêt livré {day} pour {who}.",
        },
        Ending {
            tags: &["delivery", "support", "resolved"],
            steps: &[
                Us(&[
                    "C'est indiqué comme livré {date}, signé à l'accueil.",
                    "D'après le transporteur, c'est livré depuis {date}, chez un voisin au rez-de-chaussée.",
                ]),
                Them(&[
                    "Vraiment ? Attendez, je demande.",
                    "Personne ne m'a rien dit. Donnez-moi une minute.",
                ]),
                Us(&["Bien sûr.", "Prenez votre temps."]),
                Hold,
                Them(&[
                    "Ils sont là. {qty} cartons derrière l'imprimante. Toutes mes excuses.",
                    "Trouvés. Ils étaient au courrier depuis le début.",
                ]),
                Us(&[
                    "Il n'y a pas de mal, c'est la meilleure nouvelle. Besoin d'aide pour l'installation ?",
                    "Tant mieux. Branchez-les, ils se configurent tout seuls.",
                ]),
                Them(&["Non, notre informaticien s'en charge. Merci.", "Ça ira, merci."]),
            ],
            summary: &[
                "{who} cherchait la commande {order} ({qty} {devices}) ; livrée {date}, retrouvée sur place.",
            ],
            next_step: "",
            short_summary: "Commande {order} déjà livrée chez {party}.",
        },
    ],
};
