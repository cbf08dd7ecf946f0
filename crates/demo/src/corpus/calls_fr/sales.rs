//! Finding and winning customers, in French.

use crate::corpus::script::Step::{Maybe, OneOf, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// A customer asks about a larger plan.
pub(super) const UPGRADE: Scenario = Scenario {
    topic: Topic::Upgrade,
    weight: 6,
    inbound: &[Them(&[
        "On a l'offre {plan}, et je voudrais savoir combien coûterait {plan_up} pour nous.",
        "L'équipe grandit, et je me demande s'il faut passer de {plan} à {plan_up}. C'est à quel tarif ?",
        "J'étais sur votre page de tarifs, et j'ai quelques questions sur l'offre {plan_up}.",
    ])],
    outbound: &[
        Us(&[
            "J'ai vu que votre équipe a atteint plusieurs fois les limites de l'offre {plan} ce mois-ci. Je voulais voir si elle vous convient encore.",
            "Vous avez consulté la page de l'offre {plan_up} dans l'application. Je me permets d'appeler au cas où vous auriez des questions.",
        ]),
        Them(&[
            "Vous tombez bien, on en parlait justement. Ça nous coûterait combien ?",
            "C'est vrai, je regardais. Je ne sais pas si ça vaut le prix.",
        ]),
    ],
    body: &[
        LOOK_UP,
        Us(&[
            "Vous avez {seats} postes à {price}, donc {monthly} par mois. {plan_up} est à {price_up} par poste, soit {monthly_up}.",
            "Alors, pour vos {seats} postes, ce serait {monthly_up} par mois au lieu de {monthly}, soit {difference} de plus.",
        ]),
        Them(&[
            "{difference} de plus, d'accord. Et on y gagne quoi ?",
            "Ce n'est pas rien. Qu'est-ce qu'il y a de plus dans {plan_up} ?",
        ]),
        Us(&[
            "Trois choses surtout : l'enregistrement des appels, un résumé après chaque appel, et la connexion au CRM.",
            "Principalement les statistiques par personne, les enregistrements conservés un an, et l'écoute en direct pour former les nouveaux.",
        ]),
        Them(&[
            "Les enregistrements, c'est ce qu'il nous faut. [Notre responsable des ventes les réclame.|]",
            "On s'en servirait pour la formation. On a {extra} personnes qui arrivent.",
        ]),
        Maybe(&[
            Us(&[
                "Comment formez-vous les nouveaux aujourd'hui ?",
                "Vous enregistrez déjà des appels ?",
            ]),
            Them(&[
                "Ils s'assoient à côté d'un collègue et ils écoutent.",
                "Pas vraiment. On prend des notes dans un tableau, quand on y pense.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["upgrade", "pricing", "won"],
            steps: &[
                Us(&[
                    "Si vous payez à l'année, je peux faire {discount} de remise.",
                    "Il existe aussi une formule annuelle, avec {discount} de remise.",
                ]),
                Them(&[
                    "D'accord. Et le changement se fait en combien de temps ?",
                    "Et pour le mois en cours, ça se passe comment ?",
                ]),
                Us(&[
                    "Ça prend une minute. On ne facture que la différence au prorata.",
                    "Je peux le faire tout de suite, le mois déjà payé est déduit.",
                ]),
                Them(&[
                    "Alors allons-y. Au mois pour l'instant.",
                    "Très bien, faites-le. On reste en paiement mensuel.",
                ]),
                Us(&[
                    "C'est fait, vos {seats} postes sont en {plan_up}. Je vous envoie le guide pour les enregistrements.",
                    "Parfait. Vous êtes en {plan_up}, à {monthly_up} par mois. Vous recevez le guide par e-mail.",
                ]),
                Them(&["Génial, merci.", "Eh bien, c'était rapide."]),
            ],
            summary: &[
                "{who} passe {seats} postes de {plan} à {plan_up}, surtout pour l'enregistrement des appels.",
                "Nouveau montant : {monthly_up} par mois (au lieu de {monthly}), paiement mensuel.",
            ],
            next_step: "{agent} envoie le guide d'enregistrement et la confirmation du tarif.",
            short_summary: "{who} passe {seats} postes en {plan_up} à {monthly_up} par mois.",
        },
        Ending {
            tags: &["upgrade", "pricing", "follow_up"],
            steps: &[
                Us(&[
                    "Je peux vous mettre ça dans un devis. À l'année, il y a {discount} de remise.",
                    "Une proposition écrite vous aiderait ? J'y ajoute {discount} pour un paiement annuel.",
                ]),
                Them(&[
                    "Oui, s'il vous plaît. Je dois d'abord en parler à la direction.",
                    "Volontiers. La décision ne dépend pas que de moi.",
                ]),
                Us(&[
                    "Bien sûr. Vous aurez le devis {quote} aujourd'hui. Vous en parlez quand ?",
                    "Je vous envoie le devis {quote}. Quand est-ce que je peux vous rappeler ?",
                ]),
                Them(&["Sans doute d'ici {day}.", "On a une réunion {day}, donc après."]),
                Us(&[
                    "Alors je vous rappelle {day} à {time2}.",
                    "Parfait, je note un appel {day}, {time2}.",
                ]),
                Them(&["Ça me va.", "Entendu, à {day} alors."]),
            ],
            summary: &[
                "{who} envisage de passer {seats} postes de {plan} à {plan_up} : {monthly_up} par mois au lieu de {monthly}.",
                "Intérêt pour les enregistrements et la formation ; décision à prendre en interne.",
                "Devis {quote} avec {discount} de remise à l'année.",
            ],
            next_step: "{agent} rappelle {day}.",
            short_summary: "Devis {quote} pour {plan_up} envoyé à {who} ; rappel {day}.",
        },
        Ending {
            tags: &["pricing", "not_interested"],
            steps: &[
                Us(&[
                    "Je comprends. On peut aussi mélanger les offres, et n'enregistrer que quelques postes.",
                    "Vous pourriez ne passer que {extra} postes en {plan_up}, ceux en formation.",
                ]),
                Them(&[
                    "Franchement, on ne peut pas dépenser plus ce trimestre.",
                    "Je crois qu'on va rester comme ça, le budget est bouclé.",
                ]),
                Us(&[
                    "Pas de problème. Rien ne change, vous restez à {monthly} par mois.",
                    "C'est tout à fait entendu, l'offre {plan} reste telle quelle.",
                ]),
                Them(&[
                    "Mais c'est bon à savoir pour le mélange.",
                    "On en reparlera le trimestre prochain.",
                ]),
            ],
            summary: &[
                "{who} a demandé le tarif de {plan_up} ({monthly_up} par mois au lieu de {monthly} pour {seats} postes).",
                "Pas de budget ce trimestre, l'équipe garde l'offre {plan}.",
            ],
            next_step: "",
            short_summary: "{who} garde l'offre {plan} ; {plan_up} dépasse le budget.",
        },
    ],
};

/// An appointment for a demonstration.
pub(super) const DEMO: Scenario = Scenario {
    topic: Topic::Demo,
    weight: 6,
    inbound: &[Them(&[
        "J'ai découvert {us} sur un salon, et j'aimerais voir une démonstration.",
        "On cherche un nouveau standard pour environ {seats} personnes. Vous pourriez nous montrer le vôtre ?",
        "Une amie travaille avec {us} et en dit beaucoup de bien. On peut avoir une démo ?",
    ])],
    outbound: &[
        Us(&[
            "Vous avez demandé une démonstration sur notre site, je vous appelle pour trouver un créneau.",
            "Vous avez rempli notre formulaire pour une démo. J'ai deux ou trois questions, et on fixe un rendez-vous.",
        ]),
        Them(&[
            "Oui, tout à fait. On compare plusieurs solutions.",
            "Ah, c'est rapide ! Oui, ça nous intéresse toujours.",
        ]),
    ],
    body: &[
        Us(&[
            "Avec plaisir. Pour bien préparer : combien de personnes téléphonent chez vous ?",
            "Très bien. Parlez-moi un peu de l'équipe. Vous êtes combien ?",
        ]),
        Them(&[
            "On est {seats}, la moitié au service client.",
            "Environ {seats}. Quelques commerciaux, et le reste répond aux clients.",
        ]),
        Us(&[
            "Et vous utilisez quoi actuellement ?",
            "Quelle solution avez-vous aujourd'hui ?",
        ]),
        Them(&[
            "Un vieux standard dans un placard, que personne n'ose toucher.",
            "Surtout des portables. Chacun le sien, on ne s'y retrouve plus.",
            "Le boîtier fourni avec internet. Ça marche, mais c'est tout.",
        ]),
        Us(&[
            "Qu'est-ce qui devrait s'améliorer en premier ?",
            "Si vous pouviez changer une seule chose, ce serait quoi ?",
        ]),
        Them(&[
            "On rate des appels, et personne ne sait qui a rappelé.",
            "J'aimerais savoir combien d'appels on reçoit, et à quelle heure.",
            "Que les appels arrivent dans notre CRM. On a {crm}, et tout est saisi à la main.",
        ]),
        Maybe(&[
            Us(&[
                "Qui d'autre devrait assister à la démo ?",
                "Est-ce que quelqu'un d'autre voudra la voir ?",
            ]),
            Them(&[
                "Notre informaticien, sans doute.",
                "Je viendrai avec la responsable du service client.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["demo_scheduled", "meeting_booked", "qualified", "prospect"],
            steps: &[
                Us(&[
                    "C'est exactement ce qu'on peut vous montrer, en {minutes} minutes. {day} à {time}, ça irait ?",
                    "Parfait, je sais quoi préparer. Est-ce que {day} à {time} vous convient ?",
                ]),
                Them(&[
                    "{day}, non, c'est pris. {day2} ?",
                    "Le matin, c'est compliqué. Plutôt {day2} ?",
                ]),
                Us(&["{day2} à {time2}, c'est libre.", "Oui, {day2}, {time2} ?"]),
                Them(&["Très bien, on prend ça.", "{time2}, c'est parfait."]),
                Us(&[
                    "Vous allez recevoir une invitation avec le lien vidéo. Vous pouvez la transférer.",
                    "Je vous envoie l'invitation. {colleague} fera la démonstration, et je serai là aussi.",
                ]),
                Them(&[
                    "Je l'ai reçue, merci. J'ai hâte de voir ça.",
                    "Super, à {day2} alors.",
                ]),
            ],
            summary: &[
                "{who} cherche un standard pour environ {seats} personnes.",
                "Démonstration fixée {day2} à {time2}[ (visio, {minutes} minutes)|].",
            ],
            next_step: "invitation envoyée ; {colleague} prépare la démonstration.",
            short_summary: "Démonstration avec {who} prévue {day2} à {time2}.",
        },
        Ending {
            tags: &["prospect", "follow_up", "qualified"],
            steps: &[
                Us(&[
                    "C'est noté. Je pourrais {day} à {time}, ou {day2} à {time2}.",
                    "On dit {day}, {time} ? Ou plus tard dans la semaine ?",
                ]),
                Them(&[
                    "Il faut que je voie avec les autres. Vous pouvez m'envoyer les deux ?",
                    "Je n'ai pas l'agenda de tout le monde. On peut réserver en ligne ?",
                ]),
                Us(&[
                    "Bien sûr. Je vous envoie mon lien de réservation, vous choisirez tranquillement.",
                    "Oui, il y a un lien pour ça. Je vous l'envoie avec une présentation.",
                ]),
                Them(&[
                    "Parfait. Et en gros, c'est combien ?",
                    "Très bien. Une dernière chose : on est dans quel ordre de prix ?",
                ]),
                Us(&[
                    "Pour {seats} personnes avec l'offre {plan}, {monthly} par mois, sans frais d'installation.",
                    "L'offre {plan} est à {price} par poste, donc autour de {monthly} par mois pour vous tous.",
                ]),
                Them(&[
                    "D'accord, c'est dans nos moyens. Je reviens vers vous.",
                    "Très bien, vous aurez ma réponse d'ici {day}.",
                ]),
            ],
            summary: &[
                "{who} souhaite une démonstration pour environ {seats} personnes, après accord avec l'équipe.",
                "Ordre de prix donné : {monthly} par mois avec l'offre {plan}.",
            ],
            next_step: "lien de réservation envoyé ; relance sans réponse d'ici {day}.",
            short_summary: "{who} souhaite une démonstration et choisira un créneau en ligne.",
        },
    ],
};

/// A cold call.
pub(super) const PROSPECTING: Scenario = Scenario {
    topic: Topic::Prospecting,
    weight: 8,
    inbound: &[],
    outbound: &[
        Us(&[
            "On ne se connaît pas, j'irai donc droit au but. On aide les équipes comme la vôtre à ne plus rater d'appels.",
            "Je ne vais pas vous mentir, c'est de la prospection. Vous m'accordez trente secondes, et vous décidez si on continue ?",
            "J'ai vu que vous recrutez à l'accueil. En général, ça veut dire que le téléphone sonne beaucoup.",
        ]),
        Them(&[
            "Bon, trente secondes.",
            "On reçoit beaucoup d'appels de ce genre. Vous faites quoi ?",
            "Allez-y, mais je n'ai pas beaucoup de temps.",
        ]),
    ],
    body: &[
        Us(&[
            "{us}, c'est la téléphonie dans le navigateur. Les appels sont partagés, on voit qui a rappelé, et chaque appel est résumé.",
            "On remplace le standard : des numéros partagés, un vrai historique, et un résumé de chaque conversation dans votre CRM.",
        ]),
        Them(&[
            "On a déjà quelque chose. Ça fait le travail.",
            "Et qu'est-ce qui change par rapport à ce qu'on a ?",
            "Nos téléphones marchent bien, à vrai dire.",
        ]),
        Us(&[
            "Je l'entends souvent. Comment savez-vous aujourd'hui qu'un appel a été manqué et que personne n'a rappelé ?",
            "Puis-je vous demander combien d'appels vous manquez par semaine ? La plupart des gens l'ignorent.",
        ]),
        Them(&[
            "Bonne question. Je ne saurais pas vous dire.",
            "On ne le sait pas. Le client rappelle, ou pas.",
            "Il y a une liste quelque part, mais personne ne la regarde.",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["prospect", "qualified", "meeting_booked"],
            steps: &[
                Us(&[
                    "Alors je vous propose {minutes} minutes, {day}. Je vous montre, et vous me dites si ça vaut la peine.",
                    "Je peux vous montrer à l'écran, {minutes} minutes, sans diaporama. {day} à {time} ?",
                ]),
                Them(&[
                    "{minutes} minutes, pas plus ? Bon, d'accord.",
                    "Pourquoi pas. Mais {day}, seulement après {time}.",
                ]),
                Us(&[
                    "Promis. {day} à {time2} ? À quelle adresse j'envoie l'invitation ?",
                    "Alors {day} à {time2}. Quelle adresse je prends pour l'invitation ?",
                ]),
                Them(&[
                    "{time2}, très bien. Mon prénom, arobase, notre domaine.",
                    "Va pour {time2}. Prenez l'adresse de notre site, elle arrive chez moi.",
                ]),
                Us(&[
                    "Merci. Vous seriez combien à l'utiliser, à peu près ?",
                    "Parfait. Et pour préparer, l'équipe fait quelle taille ?",
                ]),
                Them(&["Environ {seats}.", "On est {seats} en ce moment."]),
            ],
            summary: &[
                "Appel de prospection avec {who}, environ {seats} personnes. Aucune vue sur les appels manqués.",
                "Rendez-vous fixé {day} à {time2}, {minutes} minutes.",
            ],
            next_step: "invitation par e-mail ; {agent} prépare une courte démonstration.",
            short_summary: "Prospection : rendez-vous avec {who} {day} à {time2}.",
        },
        Ending {
            tags: &["prospect", "callback"],
            steps: &[
                Us(&[
                    "Est-ce que ça vaudrait un coup d'œil ?",
                    "Vous voulez voir comment d'autres s'y prennent ?",
                ]),
                Them(&[
                    "Peut-être, mais pas maintenant, on déménage. Rappelez-moi dans {weeks} semaines.",
                    "Pas ce mois-ci. Réessayez dans {weeks} semaines.",
                ]),
                Us(&[
                    "Entendu. Quel moment de la journée vous arrange, et c'est bien vous que je demande ?",
                    "Avec plaisir. Plutôt à quelle heure, et c'est bien vous qui décidez de la téléphonie ?",
                ]),
                Them(&[
                    "Le matin, et demandez à me parler directement, c'est moi qui décide.",
                    "Plutôt avant midi. Et oui, c'est moi.",
                ]),
                Us(&[
                    "C'est noté : dans {weeks} semaines, le matin. Je vous envoie une page de présentation d'ici là ?",
                    "Très bien. Je vous écris un petit mot pour que vous ayez mon nom, et je rappelle dans {weeks} semaines.",
                ]),
                Them(&["Oui, allez-y.", "Si c'est vraiment une seule page, d'accord."]),
            ],
            summary: &[
                "Appel de prospection avec {who}. Un certain intérêt, mais pas tout de suite.",
                "À rappeler dans {weeks} semaines, le matin ; c'est {first} qui décide.",
            ],
            next_step: "présentation par e-mail, puis appel dans {weeks} semaines.",
            short_summary: "{who} demande un rappel dans {weeks} semaines.",
        },
        Ending {
            tags: &["prospect", "not_interested"],
            steps: &[
                Us(&[
                    "Vous aimeriez voir ce que ça donne ?",
                    "Est-ce que ça pourrait être un sujet cette année ?",
                ]),
                Them(&[
                    "Non, franchement. On vient de signer ailleurs pour deux ans.",
                    "Je ne crois pas, on a renouvelé notre contrat tout récemment.",
                ]),
                Us(&[
                    "Alors je n'insiste pas. Je peux revenir vers vous à l'échéance ?",
                    "Je comprends, et merci pour votre franchise. Vous savez quand il se termine ?",
                ]),
                Them(&[
                    "Essayez dans un an.",
                    "Retirez-nous plutôt de la liste pour l'instant.",
                ]),
                Us(&[
                    "C'est noté. Merci pour votre écoute.",
                    "Ce sera fait. Merci pour votre temps.",
                ]),
                Them(&["De rien. Bon courage.", "Pas de souci."]),
            ],
            summary: &[
                "Appel de prospection avec {who} : engagement récent chez un autre opérateur, pas d'intérêt.",
            ],
            next_step: "",
            short_summary: "{who} ne donne pas suite : contrat en cours ailleurs.",
        },
    ],
};

/// A quote waits for an answer.
pub(super) const QUOTE: Scenario = Scenario {
    topic: Topic::Quote,
    weight: 5,
    inbound: &[Them(&[
        "Vous nous avez envoyé le devis {quote}, et j'ai quelques questions avant de signer.",
        "J'appelle pour le devis {quote}. On l'a regardé, et il y a un point à éclaircir.",
    ])],
    outbound: &[
        Us(&[
            "Je vous ai envoyé le devis {quote} il y a {days} jours, et je voulais avoir votre avis.",
            "Je reviens vers vous pour le devis {quote}. Vous avez eu le temps de le lire ?",
        ]),
        Them(&[
            "Oui, je l'ai quelque part. On a une ou deux questions.",
            "Ah oui, le devis. On en a parlé {day}, il reste des points à voir.",
        ]),
    ],
    body: &[
        Us(&[
            "Très bien, je l'ouvre. {seats} postes en {plan}, {monthly} par mois.",
            "Je l'ai ici : l'offre {plan} pour {seats} personnes, {monthly} par mois. Quelle est votre question ?",
        ]),
        OneOf(&[
            &[
                Them(&["D'abord, est-ce que la portabilité est comprise ? On a {lines} numéros."]),
                Us(&[
                    "Oui, pour les {lines}.",
                    "Elle est comprise, quel que soit le nombre de numéros.",
                ]),
            ],
            &[
                Them(&["Est-ce que les {devices} sont dedans, ou en supplément ?"]),
                Us(&[
                    "En supplément, à {device_price} pièce. Mais l'application suffit pour démarrer.",
                    "C'est en option, {device_price} l'unité. La plupart des équipes commencent avec l'application.",
                ]),
            ],
            &[
                Them(&["Et si on est moins nombreux l'année prochaine, on peut réduire ?"]),
                Us(&[
                    "Oui, le nombre de postes peut changer chaque mois.",
                    "Quand vous voulez. Vous ne payez que les postes du mois.",
                ]),
            ],
        ]),
        Them(&[
            "D'accord. L'autre point, c'est le prix. On a une offre moins chère.",
            "Et le prix est un peu au-dessus de ce qu'on imaginait, pour être honnête.",
        ]),
        Maybe(&[OneOf(&[
            &[
                Us(&[
                    "Puis-je vous demander l'écart ?",
                    "La différence est de combien, si je peux me permettre ?",
                ]),
                Them(&["Environ {overcharge} par mois.", "À peu près {overcharge}."]),
            ],
            &[
                Us(&["Vous savez si l'assistance est incluse dans l'autre offre ?"]),
                Them(&[
                    "Je ne crois pas. C'est vrai que ça compte.",
                    "Il faudrait que je regarde, ils n'en ont pas parlé.",
                ]),
            ],
        ])]),
    ],
    endings: &[
        Ending {
            tags: &["quote", "pricing", "won"],
            steps: &[
                Us(&[
                    "Si vous vous décidez cette semaine, je peux descendre de {discount}. Ça fait {monthly_discounted} par mois.",
                    "Ce que je peux faire : {discount} de remise la première année, donc {monthly_discounted} par mois.",
                ]),
                Them(&[
                    "{monthly_discounted}, c'est mieux. Pour les {seats} postes ?",
                    "Avec {discount} de remise, on est d'accord.",
                ]),
                Us(&[
                    "Ce serait pour les {seats} postes. Je vous envoie la nouvelle version, à signer en ligne.",
                    "Pour tout le monde. Le devis mis à jour arrive dans dix minutes, avec un bouton pour signer.",
                ]),
                Them(&[
                    "Envoyez, je signe aujourd'hui.",
                    "Parfait, je signe dès réception.",
                ]),
                Us(&[
                    "Formidable, bienvenue ! {colleague} vous appelle {day} pour la mise en route.",
                    "Merci, ça me fait vraiment plaisir. {colleague} prendra contact {day} pour préparer le démarrage.",
                ]),
                Them(&["Avec plaisir, à {day}.", "Super, merci."]),
            ],
            summary: &[
                "{who} accepte le devis {quote} : {seats} postes en {plan}, {discount} de remise, {monthly_discounted} par mois.",
                "Nouvelle version à signer en ligne aujourd'hui.",
            ],
            next_step: "{colleague} appelle {day} pour la mise en route.",
            short_summary: "Devis {quote} accepté par {who} à {monthly_discounted} par mois.",
        },
        Ending {
            tags: &["quote", "pricing", "follow_up"],
            steps: &[
                Us(&[
                    "Je ne peux rien promettre, mais je vais demander {discount}.",
                    "Laissez-moi en parler à {colleague}. Avec un engagement d'un an, {discount} me semble possible.",
                ]),
                Them(&[
                    "Ça nous aiderait. On décide {day}.",
                    "Volontiers. Je dois répondre aux autres d'ici {day}.",
                ]),
                Us(&[
                    "Vous aurez ma réponse avant {day}, c'est promis. Par e-mail ?",
                    "Je reviens vers vous avant. Par e-mail, ça vous va ?",
                ]),
                Them(&[
                    "Oui, par e-mail, c'est le mieux.",
                    "Très bien. Appelez si c'est plus rapide.",
                ]),
            ],
            summary: &[
                "{who} a une offre concurrente moins chère que le devis {quote} ({seats} postes en {plan}, {monthly} par mois).",
                "Demande de remise ; {agent} voit avec {colleague} pour {discount}.",
            ],
            next_step: "proposition révisée par e-mail avant {day}.",
            short_summary: "{who} demande un meilleur prix sur le devis {quote} ; décision {day}.",
        },
        Ending {
            tags: &["quote", "not_interested"],
            steps: &[
                Us(&[
                    "Je comprends. Avec {discount} de remise, on serait à {monthly_discounted}. Ça changerait quelque chose ?",
                    "Le mieux que je puisse faire, c'est {discount}. Est-ce suffisant ?",
                ]),
                Them(&[
                    "Je crains que non. On va partir sur l'autre offre.",
                    "C'est gentil, mais non. La décision est plus ou moins prise.",
                ]),
                Us(&[
                    "Merci de me le dire. C'est seulement le prix, ou autre chose ?",
                    "C'est dommage, mais merci pour votre franchise. Qu'est-ce qui a fait la différence ?",
                ]),
                Them(&[
                    "Le prix, et ils sont à deux pas de chez nous.",
                    "On travaille déjà avec eux pour internet.",
                ]),
                Us(&[
                    "Je comprends. Je classe le devis, et vous pouvez revenir quand vous voulez.",
                    "Très bien. Si ça ne se passe pas comme prévu, vous avez mon numéro.",
                ]),
                Them(&[
                    "Je m'en souviendrai. Merci pour tout.",
                    "Merci, et bonne continuation.",
                ]),
            ],
            summary: &[
                "{who} décline le devis {quote} ({monthly} par mois), même avec {discount} de remise.",
                "Raison : le prix, et une relation déjà établie avec l'autre fournisseur.",
            ],
            next_step: "",
            short_summary: "Devis {quote} pour {who} perdu au profit d'un autre fournisseur.",
        },
    ],
};
