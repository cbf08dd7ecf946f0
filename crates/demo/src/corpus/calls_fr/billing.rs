//! Invoices, charges and money back, in French.

use crate::corpus::script::Step::{Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// An invoice shows more seats than expected.
pub(super) const BILLING_QUESTION: Scenario = Scenario {
    topic: Topic::BillingQuestion,
    weight: 7,
    inbound: &[Them(&[
        "J'ai une question sur la facture {invoice}. Elle est de {monthly_total}, et d'habitude on paie {monthly}.",
        "Je regarde notre dernière facture, la {invoice}, et je ne comprends pas le montant. On nous a facturé {monthly_total} au lieu de {monthly}.",
        "Je vous appelle pour un souci de facturation. La facture {invoice} est passée de {monthly} à {monthly_total}, et personne ne sait pourquoi.",
    ])],
    outbound: &[
        Us(&[
            "Je vous appelle au sujet de votre message sur la facture {invoice}. Vous aviez une question de facturation ?",
            "Vous nous avez écrit à propos de la facture {invoice}, je me suis dit qu'un appel serait plus simple.",
        ]),
        Them(&[
            "Oui, merci de rappeler. Elle est de {monthly_total}, alors que normalement c'est {monthly}.",
            "Ah, c'est rapide, merci. Oui, on s'attendait à {monthly}, et là c'est {monthly_total}.",
        ]),
    ],
    body: &[
        LOOK_UP,
        Us(&[
            "[Voilà|Alors], je l'ai sous les yeux. Vous avez l'offre {plan} à {price} par poste, et la facture compte {total_seats} postes au lieu de {seats}.",
            "Bon. L'offre {plan}, c'est {price} par poste. Le mois d'avant il y avait {seats} postes, et là je vois {total_seats} postes.",
        ]),
        Them(&[
            "{total_seats} ? On n'a pourtant [embauché personne|rien changé].",
            "C'est bizarre. Chez nous, il y a {seats} personnes au téléphone.",
            "Donc {extra} de plus qu'avant. Ils sortent d'où ?",
        ]),
        Maybe(&[
            Us(&[
                "Est-ce que quelqu'un d'autre a les droits d'administration ?",
                "Un collègue aurait-il pu inviter de nouveaux utilisateurs ?",
            ]),
            Them(&[
                "Possible, mais ça m'étonnerait.",
                "Il n'y a que moi et notre informaticien, et il m'en aurait parlé.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["billing", "refund", "resolved"],
            steps: &[
                Us(&[
                    "J'ai trouvé : {extra} comptes de test de votre période d'essai n'ont jamais été fermés, et ils ont été facturés. C'est une erreur de notre part.",
                    "Je vois le problème. {extra} de ces postes sont des comptes de test créés à l'installation. Ils n'auraient pas dû apparaître, toutes mes excuses.",
                ]),
                Them(&[
                    "D'accord. On peut avoir un remboursement ?",
                    "Je m'en doutais. Vous nous remboursez la différence ?",
                ]),
                Us(&[
                    "Bien entendu. Je lance le remboursement de {overcharge}, vous l'aurez sur votre compte sous {days} jours ouvrés.",
                    "Oui, tout à fait : {overcharge}, remboursés sur la carte enregistrée, en {days} jours ouvrés.",
                ]),
                Them(&[
                    "Très bien. Et la prochaine facture ?",
                    "Merci. Et le mois prochain, ça ne va pas recommencer ?",
                ]),
                Us(&[
                    "J'ai supprimé les comptes, vous repassez à {monthly}. Je vous envoie aussi une facture rectifiée par e-mail.",
                    "Les comptes de test sont supprimés. La facturation revient à {monthly}, et la facture corrigée part aujourd'hui.",
                ]),
                Them(&[
                    "Parfait, merci pour votre réactivité.",
                    "C'est [très clair|exactement ce qu'il me fallait], merci.",
                ]),
            ],
            summary: &[
                "{who} s'étonne du montant de la facture {invoice} : {monthly_total} au lieu de {monthly}.",
                "{extra} comptes de test de la période d'essai avaient été facturés par erreur.",
                "Remboursement de {overcharge} lancé[, sous {days} jours ouvrés|].",
            ],
            next_step: "envoi de la facture rectifiée par e-mail ; la prochaine revient à {monthly}.",
            short_summary: "Facture {invoice} trop élevée pour {who} : {overcharge} remboursés.",
        },
        Ending {
            tags: &["billing", "resolved"],
            steps: &[
                Us(&[
                    "D'après l'historique, {extra} postes ont été ajoutés {date} par un de vos administrateurs.",
                    "Je vois dans le journal que quelqu'un de chez vous a invité {extra} personnes {date}.",
                ]),
                Them(&[
                    "Ah, attendez. Ça doit être la nouvelle équipe [d'accueil|du samedi]. Personne ne m'en a parlé.",
                    "{date}... Mais oui, ce sont nos [stagiaires|intérimaires]. C'est ma faute.",
                ]),
                Us(&[
                    "Il n'y a pas de mal. Si vous n'en avez pas besoin, je peux les retirer.",
                    "Ça arrive souvent, ne vous inquiétez pas. Vous voulez que je les retire ?",
                ]),
                Them(&[
                    "Non, non, on en a besoin. Je voulais juste comprendre.",
                    "Non, on les garde. Au moins je peux l'expliquer à la comptabilité.",
                ]),
                Us(&[
                    "Alors le nouveau montant est de {monthly_total} par mois. Voulez-vous une alerte par e-mail à chaque ajout ?",
                    "On reste donc à {monthly_total} par mois. Je peux activer une alerte quand un poste est ajouté, si vous voulez.",
                ]),
                Them(&["Oui, volontiers.", "Ça m'arrangerait, merci."]),
            ],
            summary: &[
                "{who} ne comprenait pas la facture {invoice} ({monthly_total} au lieu de {monthly}).",
                "{extra} postes avaient été ajoutés {date} par leur équipe ; ils sont conservés.",
                "Nouveau montant mensuel : {monthly_total} pour {total_seats} postes.",
            ],
            next_step: "{agent} active une alerte en cas d'ajout de postes.",
            short_summary: "Hausse de facture expliquée : {extra} postes ajoutés {date} chez {party}.",
        },
        Ending {
            tags: &["billing", "refund", "follow_up"],
            steps: &[
                Us(&[
                    "Honnêtement, je ne vois pas d'où viennent ces {extra} postes. Je préfère que notre service de facturation vérifie.",
                    "Je ne trouve pas qui a ajouté les {extra} postes, et je ne veux pas vous dire de bêtise. La comptabilité peut remonter plus loin que moi.",
                ]),
                Them(&[
                    "Ça va prendre combien de temps ?",
                    "D'accord. Et j'aurai une réponse quand ?",
                ]),
                Us(&[
                    "{colleague} reprend le dossier et vous appelle d'ici {day}. Si l'erreur est chez nous, vous aurez un remboursement de {overcharge}.",
                    "D'ici {day}. {colleague} vous appellera, et si on s'est trompé, on vous rembourse les {overcharge}.",
                ]),
                Them(&[
                    "Et en attendant, je dois payer cette facture ?",
                    "On suspend le paiement en attendant ?",
                ]),
                Us(&[
                    "Attendez notre réponse. Je note la facture comme contestée, vous ne recevrez pas de relance.",
                    "Laissez-la de côté pour l'instant, je bloque les relances.",
                ]),
                Them(&[
                    "Très bien, ça me convient.",
                    "D'accord, j'attends son appel alors.",
                ]),
            ],
            summary: &[
                "{who} conteste la facture {invoice} : {monthly_total} facturés, {monthly} attendus.",
                "L'origine de {extra} postes supplémentaires reste à éclaircir.",
                "Facture notée comme contestée ; remboursement de {overcharge} si l'erreur vient de chez nous.",
            ],
            next_step: "{colleague} vérifie et rappelle d'ici {day}.",
            short_summary: "{who} conteste {overcharge} sur la facture {invoice} ; réponse d'ici {day}.",
        },
    ],
};

/// One month was charged twice.
pub(super) const DUPLICATE_CHARGE: Scenario = Scenario {
    topic: Topic::DuplicateCharge,
    weight: 5,
    inbound: &[Them(&[
        "Je crois que vous nous avez prélevé deux fois. Je vois deux paiements de {monthly} pour la facture {invoice}.",
        "En pointant le relevé bancaire, j'ai vu que votre prélèvement apparaît deux fois. {monthly}, deux fois de suite.",
        "On a été débités deux fois pour la facture {invoice}. {monthly} à chaque fois. Je voudrais un remboursement.",
    ])],
    outbound: &[
        Us(&[
            "Nous avons remarqué une anomalie de notre côté : il semble que la facture {invoice} a été prélevée deux fois.",
            "J'ai votre message sous les yeux, au sujet d'un double prélèvement sur la facture {invoice}.",
        ]),
        Them(&[
            "Oui, j'ai vu ça. Deux fois {monthly}. [J'allais vous appeler.|]",
            "En effet, on l'a repéré sur le relevé. {monthly}, deux fois.",
        ]),
    ],
    body: &[
        Us(&[
            "Toutes mes excuses pour ce désagrément. Vous avez la date du second prélèvement ?",
            "Ce n'est pas normal, on va régler ça. C'était quel jour, le second ?",
        ]),
        Them(&["Attendez... C'était {date}.", "{date}, d'après la banque."]),
        LOOK_UP,
    ],
    endings: &[
        Ending {
            tags: &["billing", "refund", "resolved"],
            steps: &[
                Us(&[
                    "Vous avez raison. Le premier essai a expiré, le système a recommencé, et les deux sont passés.",
                    "Je vois bien les deux paiements. Il y a eu une coupure avec la banque {date}, et tout a été débité une deuxième fois.",
                ]),
                Them(&[
                    "Donc on récupère les {monthly} ?",
                    "D'accord. Vous pouvez nous rembourser le second ?",
                ]),
                Us(&[
                    "Oui, le remboursement de {monthly} vient de partir. Comptez {days} jours ouvrés au plus.",
                    "C'est fait : {monthly} remboursés à l'instant. Votre banque met jusqu'à {days} jours ouvrés.",
                ]),
                Them(&[
                    "Très bien. Il me faudrait un avoir pour la comptabilité.",
                    "Merci. Vous pouvez m'envoyer une confirmation écrite ?",
                ]),
                Us(&[
                    "Bien sûr, l'avoir de {monthly} arrive dans votre boîte mail d'une minute à l'autre.",
                    "Je vous envoie l'avoir par e-mail, avec la référence {invoice}.",
                ]),
                Them(&["Parfait.", "Impeccable, c'est tout ce qu'il me faut."]),
            ],
            summary: &[
                "{who} signale un double prélèvement de {monthly} pour la facture {invoice}, confirmé.",
                "Cause : un incident avec la banque {date}.",
                "Remboursement de {monthly} effectué et avoir envoyé par e-mail.",
            ],
            next_step: "l'argent revient sous {days} jours ouvrés.",
            short_summary: "Double prélèvement de {monthly} confirmé et remboursé pour {who}.",
        },
        Ending {
            tags: &["billing", "follow_up"],
            steps: &[
                Us(&[
                    "Chez nous, il n'y a qu'un seul paiement. Le second est une simple autorisation de la banque, jamais encaissée.",
                    "Je vois un paiement de {monthly}, et une réservation qui a été annulée aussitôt. Vous n'avez donc payé qu'une fois.",
                ]),
                Them(&[
                    "Pourtant, l'argent n'est plus disponible.",
                    "Alors pourquoi est-ce que je le vois deux fois ?",
                ]),
                Us(&[
                    "Les banques affichent les réservations comme des paiements. Ça disparaît tout seul sous {days} jours ouvrés.",
                    "La somme est bloquée, pas débitée. En général elle réapparaît au bout de {days} jours ouvrés.",
                ]),
                Them(&[
                    "Et si ce n'est pas le cas ?",
                    "Et si c'est toujours là la semaine prochaine ?",
                ]),
                Us(&[
                    "Répondez simplement à l'e-mail que je vous envoie. Il contient la référence que votre banque demandera.",
                    "Je vous envoie la référence d'annulation. Avec ça, la banque peut débloquer la somme tout de suite.",
                ]),
                Them(&["D'accord, je surveille ça.", "Très bien, on verra."]),
            ],
            summary: &[
                "{who} signalait un double débit pour la facture {invoice} ({monthly}).",
                "Un seul paiement encaissé ; le second est une autorisation bancaire qui disparaît sous {days} jours ouvrés.",
            ],
            next_step: "référence d'annulation envoyée ; nouvel appel si la somme reste bloquée.",
            short_summary: "Pas de double débit pour {who} : simple autorisation bancaire de {monthly}.",
        },
    ],
};

/// Devices go back and the money should, too.
pub(super) const REFUND: Scenario = Scenario {
    topic: Topic::Refund,
    weight: 5,
    inbound: &[Them(&[
        "Je voudrais demander un remboursement. On a commandé {qty} {devices}, commande {order}, et finalement on n'en a pas besoin.",
        "On souhaite vous retourner du matériel : {qty} {devices} de la commande {order}. Vous nous les avez facturés {devices_total}.",
        "C'est au sujet de la commande {order}. Les {devices} ne conviennent pas à l'équipe, on voudrait tout renvoyer et se faire rembourser.",
    ])],
    outbound: &[
        Us(&[
            "Vous nous avez demandé un remboursement pour la commande {order}, je voulais voir ça avec vous.",
            "Je donne suite à votre demande de remboursement, pour les {devices} de la commande {order}.",
        ]),
        Them(&[
            "Oui, {qty} {devices}, facturés {devices_total}. Ils sont encore dans les cartons.",
            "C'est ça, on voudrait vous rendre les {qty}. On avait payé {devices_total}.",
        ]),
    ],
    body: &[
        Us(&[
            "Je comprends. Puis-je vous demander la raison ?",
            "D'accord, on va regarder ça. Qu'est-ce qui n'allait pas, si je peux me permettre ?",
        ]),
        Them(&[
            "Rien de grave. La moitié de l'équipe est passée en télétravail, ils restent sur une étagère.",
            "On en a commandé trop, tout simplement. Les gens préfèrent [l'application|leur ordinateur].",
            "Le déménagement a été annulé, et on n'a pas la place.",
        ]),
        LOOK_UP,
    ],
    endings: &[
        Ending {
            tags: &["billing", "refund"],
            steps: &[
                Us(&[
                    "Bonne nouvelle : la commande a moins de trente jours, vous avez droit au remboursement complet, soit {devices_total}.",
                    "Vous êtes encore dans le délai de retour. On vous rembourse donc {devices_total}.",
                ]),
                Them(&[
                    "Super. Et pour l'envoi, on fait comment ?",
                    "Parfait. Qu'est-ce que je dois faire ?",
                ]),
                Us(&[
                    "Je vous envoie une étiquette prépayée. Un transporteur peut passer {day}, entre {time} et {time2}.",
                    "Vous recevez une étiquette par e-mail. Je réserve l'enlèvement pour {day} à {time} ?",
                ]),
                Them(&[
                    "{day}, c'est bien.",
                    "{day}, très bien, il y a toujours quelqu'un à l'accueil.",
                ]),
                Us(&[
                    "Une fois les cartons arrivés, le remboursement est effectué sous {days} jours ouvrés.",
                    "Et la facturation vous rembourse {days} jours ouvrés après la réception.",
                ]),
                Them(&["C'est correct, merci.", "Très bien, [merci beaucoup|ça me va]."]),
            ],
            summary: &[
                "{who} retourne {qty} {devices} de la commande {order}, jamais utilisés.",
                "Dans le délai de trente jours : remboursement complet de {devices_total}, {days} jours ouvrés après réception.",
            ],
            next_step: "étiquette par e-mail, enlèvement {day}.",
            short_summary: "{who} renvoie {qty} {devices} ; remboursement de {devices_total} accordé.",
        },
        Ending {
            tags: &["billing", "refund", "escalated"],
            steps: &[
                Us(&[
                    "Je vois que la commande a plus de trente jours. En principe, le matériel n'est plus remboursé après ce délai.",
                    "Le souci, c'est que le délai de retour est passé. Je ne peux pas valider {devices_total} sans accord.",
                ]),
                Them(&[
                    "On est clients depuis des années, quand même.",
                    "Ils n'ont même pas été déballés. Vous ne pouvez vraiment rien faire ?",
                ]),
                Us(&[
                    "Je comprends. J'en parle à {colleague}, qui peut accorder une exception. Vous aurez une réponse d'ici {day}.",
                    "Laissez-moi demander une exception à {colleague}. Au minimum un avoir. Réponse d'ici {day}.",
                ]),
                Them(&[
                    "Ce serait gentil. Un avoir, ça m'irait aussi.",
                    "D'accord. Dites bien que tout est neuf.",
                ]),
                Us(&[
                    "Je le note. Vous pourriez m'envoyer une photo des cartons ? Ça aide pour la décision.",
                    "C'est noté. Gardez bien les emballages jusque-là.",
                ]),
                Them(&["Sans problème.", "Ça marche. Merci d'essayer."]),
            ],
            summary: &[
                "{who} demande le remboursement de {qty} {devices} (commande {order}, {devices_total}).",
                "Délai de retour dépassé ; {agent} demande une exception ou un avoir.",
            ],
            next_step: "{colleague} décide et répond d'ici {day}.",
            short_summary: "Demande de remboursement tardive ({devices_total}) pour {who}, transmise à {colleague}.",
        },
        Ending {
            tags: &["billing", "refund", "retained"],
            steps: &[
                Us(&[
                    "Le remboursement de {devices_total} est possible. Mais je peux aussi vous proposer un échange, avec {credit} d'avoir en plus.",
                    "On peut vous rembourser. Ou bien vous gardez la moitié pour les salles de réunion, et je déduis {credit} de la prochaine facture.",
                ]),
                Them(&[
                    "Ah, intéressant. On les échangerait contre quoi ?",
                    "Dites-moi, comment ça se passerait ?",
                ]),
                Us(&[
                    "Pour le télétravail, on a un modèle plus léger et plus pratique. Même prix, on livre d'abord, et vous renvoyez le reste dans le même carton.",
                    "On vous envoie un assortiment à essayer deux semaines. Ce qui ne plaît pas, vous le rendez et on le rembourse.",
                ]),
                Them(&[
                    "Écoutez, pourquoi pas. On essaie.",
                    "Ça me paraît raisonnable. Va pour l'échange.",
                ]),
                Us(&[
                    "Parfait. L'échange part {day}, et les {credit} seront déduits de la prochaine facture.",
                    "Très bien. Livraison {day}, et {credit} de moins le mois prochain.",
                ]),
                Them(&[
                    "Merci, c'est une bonne solution.",
                    "Super, ça m'évite de tout renvoyer.",
                ]),
            ],
            summary: &[
                "{who} demandait le remboursement de {qty} {devices} ({devices_total}, commande {order}).",
                "Accord sur un échange à la place, avec {credit} d'avoir sur la prochaine facture.",
            ],
            next_step: "l'échange part {day}.",
            short_summary: "{who} accepte un échange et {credit} d'avoir pour la commande {order}.",
        },
    ],
};

/// An invoice is overdue.
pub(super) const PAYMENT_REMINDER: Scenario = Scenario {
    topic: Topic::PaymentReminder,
    weight: 4,
    inbound: &[Them(&[
        "J'ai reçu une relance pour la facture {invoice}, {monthly}, et ça m'étonne. Je pensais qu'elle était réglée.",
        "Vous nous avez envoyé un rappel de paiement pour la facture {invoice}, {monthly}. Qu'est-ce qui se passe ?",
    ])],
    outbound: &[
        Us(&[
            "C'est au sujet de la facture {invoice}, {monthly}. Elle est en attente depuis {overdue} jours, je voulais vérifier que vous l'aviez bien reçue.",
            "Un simple rappel : la facture {invoice} de {monthly} était à régler il y a {overdue} jours, et nous n'avons rien reçu.",
        ]),
        Them(&[
            "Ah bon ? Je croyais que c'était réglé.",
            "La {invoice}, vous dites ? J'aurais juré qu'on l'avait payée.",
        ]),
    ],
    body: &[
        Us(&[
            "D'habitude la carte est débitée automatiquement, mais cette fois le paiement a été refusé.",
            "De notre côté elle est toujours ouverte. Une tentative a échoué {date}.",
        ]),
        Them(&[
            "C'est étrange. Je demande à la comptabilité, une seconde.",
            "Attendez, je regarde dans notre logiciel.",
        ]),
        Us(&["Je vous en prie, je patiente.", "Prenez votre temps."]),
    ],
    endings: &[
        Ending {
            tags: &["billing", "payment", "resolved"],
            steps: &[
                Them(&[
                    "J'ai compris : on a une nouvelle carte, l'ancienne a expiré.",
                    "Ah oui, la carte a été remplacée après une fraude.",
                ]),
                Us(&[
                    "Tout s'explique. Je vous envoie un lien sécurisé pour enregistrer la nouvelle.",
                    "Pas de souci. Vous allez recevoir un lien de paiement par e-mail.",
                ]),
                Them(&["Oui, volontiers, je le fais tout de suite.", "D'accord, envoyez."]),
                Us(&[
                    "C'est parti. Dès que la carte est enregistrée, les {monthly} sont prélevés, sans frais de retard.",
                    "Envoyé. Ensuite le prélèvement reprend normalement, et il n'y a pas de pénalité.",
                ]),
                Them(&[
                    "Je l'ai reçu. Voilà, c'est fait.",
                    "C'est arrivé. Je m'en occupe aujourd'hui.",
                ]),
            ],
            summary: &[
                "Facture {invoice} ({monthly}) impayée parce que la carte enregistrée pour {party} avait expiré.",
                "Lien sécurisé envoyé à {first} {last} ; pas de frais de retard.",
            ],
            next_step: "prélèvement de {monthly} dès l'enregistrement de la nouvelle carte.",
            short_summary: "Retard de paiement chez {party} : carte expirée, lien envoyé.",
        },
        Ending {
            tags: &["billing", "payment", "follow_up"],
            steps: &[
                Them(&[
                    "Alors, elle est validée, elle part avec les virements de {day}.",
                    "Elle est dans la pile pour {day}. Les validations sont un peu longues en ce moment.",
                ]),
                Us(&[
                    "Très bien. On peut donc compter sur {monthly} juste après {day} ?",
                    "Entendu, je note {day} pour le paiement.",
                ]),
                Them(&[
                    "Oui, sans faute. Je vous envoie l'avis de virement.",
                    "Oui. Si rien n'arrive, appelez-moi directement.",
                ]),
                Us(&[
                    "Merci. Je suspends les relances jusque-là.",
                    "Parfait, je mets les relances en pause. Vos lignes restent actives, bien sûr.",
                ]),
                Them(&[
                    "C'est gentil. Navrés pour le retard.",
                    "Merci pour votre souplesse.",
                ]),
            ],
            summary: &[
                "Facture {invoice} ({monthly}) en retard ; {who} confirme qu'elle est validée.",
                "Paiement prévu {day}, relances suspendues.",
            ],
            next_step: "vérifier le paiement après {day}.",
            short_summary: "{who} s'engage à payer la facture {invoice} ({monthly}) {day}.",
        },
        Ending {
            tags: &["billing", "payment", "refund", "follow_up"],
            steps: &[
                Them(&[
                    "On me dit qu'on la retient. Vous nous devez encore un remboursement de {credit}.",
                    "D'après la comptabilité, il manque le remboursement de {credit} que vous aviez promis.",
                ]),
                Us(&[
                    "Je vois la note, en effet : {credit} promis, mais jamais déduits. Toutes mes excuses.",
                    "Vous avez raison, ce remboursement a été oublié. Je vous prie de nous excuser.",
                ]),
                Them(&[
                    "Vous pouvez refaire la facture ?",
                    "D'accord, on fait comment alors ?",
                ]),
                Us(&[
                    "Le service de facturation va émettre une facture rectifiée, {credit} de moins, d'ici {day}.",
                    "D'ici {day}, vous recevez une nouvelle facture avec les {credit} déduits. La relance est annulée.",
                ]),
                Them(&[
                    "Alors on la paiera tout de suite.",
                    "Parfait, je la débloque dès réception.",
                ]),
            ],
            summary: &[
                "{who} retient la facture {invoice} ({monthly}) : un remboursement de {credit} n'avait pas été déduit.",
                "Réclamation fondée ; relance annulée.",
            ],
            next_step: "envoi d'une facture rectifiée d'ici {day}.",
            short_summary: "Facture {invoice} à rectifier pour {who} : {credit} à déduire.",
        },
    ],
};
