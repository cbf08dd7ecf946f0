//! Hours, partnerships and applications, in French.

use crate::corpus::script::Step::{Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

/// When somebody can be reached in summer.
pub(super) const OPENING_HOURS: Scenario = Scenario {
    topic: Topic::OpeningHours,
    weight: 3,
    inbound: &[Them(&[
        "Une petite question : vous êtes ouverts cet été ?",
        "Je voulais connaître vos horaires d'été. L'assistance est là comme d'habitude ?",
        "On prépare les congés d'été. Vous pouvez me dire quand l'assistance est fermée ?",
    ])],
    outbound: &[
        Us(&[
            "Vous nous avez demandé par e-mail comment régler vos horaires d'été.",
            "Je vous appelle pour l'été : vos horaires de fermeture ne sont pas encore réglés.",
        ]),
        Them(&[
            "Oui, c'est vrai. Et on voulait aussi savoir quand vous êtes là.",
            "Ah, vous faites bien. Vous fermez aussi, en août ?",
        ]),
    ],
    body: &[
        Us(&[
            "L'assistance est là tout l'été, du lundi au vendredi, à partir de {time}. Les jours fériés, il n'y a que la ligne d'urgence.",
            "On est là tout l'été, avec une équipe réduite. Le service commercial ferme une semaine, pas l'assistance.",
        ]),
        Them(&[
            "Très bien. La ligne d'urgence, c'est pour tout le monde ?",
            "D'accord. Et en cas de panne un jour férié ?",
        ]),
        Us(&[
            "Pour les vraies pannes, il y a un numéro d'urgence ouvert à tous nos clients. Il est dans l'application, dans « Aide ».",
            "Si plus rien ne marche, chaque client peut appeler le numéro d'urgence. Quelqu'un répond jour et nuit.",
        ]),
        Them(&[
            "Parfait. L'autre question, c'est nos horaires à nous. On ferme plus tôt pendant {weeks} semaines.",
            "Et comment je change nos propres horaires pour l'été ? On ne reste que jusqu'à {time2}, pendant {weeks} semaines.",
        ]),
        Maybe(&[
            Us(&["C'est pour tous les numéros ?", "Pour toute la société ?"]),
            Them(&[
                "Seulement pour le numéro principal.",
                "Pour tout, sauf l'astreinte.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["support", "general", "resolved"],
            steps: &[
                Us(&[
                    "Ça se programme. Dans « Routage », il y a « Horaires spéciaux » : premier jour, dernier jour, et les heures.",
                    "Il y a un calendrier pour les horaires d'été. Vous mettez le début, la fin, ouverture jusqu'à {time2}, et c'est tout.",
                ]),
                Them(&[
                    "Et l'annonce change aussi ?",
                    "On peut mettre un message spécial pour l'été ?",
                ]),
                Us(&[
                    "Oui, vous l'enregistrez, ou vous tapez le texte et il est lu.",
                    "Bien sûr. Et au bout de {weeks} semaines, tout redevient comme avant.",
                ]),
                Them(&[
                    "J'ai trouvé. C'est simple.",
                    "Super, je n'aurai pas à revenir pendant mes congés.",
                ]),
            ],
            summary: &[
                "{who} demande nos horaires d'été : assistance en semaine tout l'été, ligne d'urgence les jours fériés.",
                "Explication des horaires spéciaux pour leur numéro ({weeks} semaines, jusqu'à {time2}).",
            ],
            next_step: "",
            short_summary: "Horaires d'été et horaires spéciaux expliqués à {who}.",
        },
        Ending {
            tags: &["support", "general", "follow_up"],
            steps: &[
                Us(&[
                    "Je peux le faire pour vous. Envoyez-moi les dates et le texte de l'annonce.",
                    "Vous voulez que je m'en charge ? Il me faudrait les jours et le message.",
                ]),
                Them(&[
                    "Ce serait gentil. Je vous envoie ça d'ici {day}.",
                    "Oui, volontiers. Vous l'aurez d'ici {day}.",
                ]),
                Us(&[
                    "Très bien. Je vous ferai écouter l'annonce avant l'été.",
                    "Parfait. Je règle tout et je teste le numéro.",
                ]),
                Them(&["C'est un vrai service, merci.", "Formidable."]),
            ],
            summary: &[
                "{who} se renseigne sur l'été et souhaite des horaires spéciaux pendant {weeks} semaines.",
                "{agent} s'en charge.",
            ],
            next_step: "{first} envoie les dates et le texte de l'annonce d'ici {day}.",
            short_summary: "Horaires d'été à régler pour {who}, pendant {weeks} semaines.",
        },
    ],
};

/// Somebody offers a partnership.
pub(super) const PARTNERSHIP: Scenario = Scenario {
    topic: Topic::Partnership,
    weight: 2,
    inbound: &[Them(&[
        "On n'est pas clients. On s'occupe de l'informatique de {seats} petites entreprises environ, et on aimerait revendre {us}.",
        "On a environ {seats} clients qui cherchent un standard. Vous travaillez avec des partenaires ?",
    ])],
    outbound: &[
        Us(&[
            "Vous nous avez écrit pour un partenariat, et j'aimerais en savoir plus.",
            "Je vous appelle au sujet de votre demande de partenariat.",
        ]),
        Them(&[
            "Oui, très bien. On s'occupe d'environ {seats} petites entreprises.",
            "En effet. Plusieurs de nos clients cherchent une solution de téléphonie.",
        ]),
    ],
    body: &[
        Us(&[
            "Ça m'intéresse. C'est quel genre de clients ?",
            "Très bien. Parlez-moi un peu d'eux.",
        ]),
        Them(&[
            "Des médecins, des avocats, des ateliers. De cinq à cinquante personnes.",
            "Surtout des bureaux du coin. Ils nous appellent pour tout ce qui se branche.",
        ]),
        Us(&[
            "Et l'installation, vous la feriez, ou plutôt nous ?",
            "Vous voulez assurer l'assistance vous-mêmes ?",
        ]),
        Them(&[
            "On ferait l'installation et le premier niveau.",
            "On préférerait vous les adresser, et vous faites le reste.",
            "Les deux sont possibles, ça dépend du client.",
        ]),
        Us(&[
            "Pour un client adressé, il y a une prime, et les revendeurs ont {discount} sur toutes les offres.",
            "Les partenaires ont {discount}, et un compte de test gratuit avec {extra} postes.",
        ]),
        Them(&[
            "{discount} pour toute la durée, ou seulement la première année ?",
            "Il y a un minimum ?",
        ]),
        Us(&[
            "Tant que le client reste. Et sans minimum.",
            "Aucun minimum, et ça ne s'arrête pas au bout d'un an.",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["partnership", "meeting_booked"],
            steps: &[
                Them(&[
                    "Ça me plaît. Quelle est la suite ?",
                    "C'est intéressant. On commence comment ?",
                ]),
                Us(&[
                    "Une visio avec {colleague}, qui gère le programme. {day} à {time} ?",
                    "Je vous propose un rendez-vous avec {colleague}. {day}, {time2}, ça vous irait ?",
                ]),
                Them(&["{day}, c'est bon.", "Oui, ça me va."]),
                Us(&[
                    "Vous recevrez l'invitation, avec la convention à lire avant.",
                    "Parfait. J'y joins la convention, elle fait quatre pages.",
                ]),
                Them(&["Très bien, merci d'avance.", "D'accord, je la lirai."]),
            ],
            summary: &[
                "{who} souhaite devenir partenaire, environ {seats} petites entreprises suivies.",
                "Conditions expliquées : {discount}, sans minimum.",
            ],
            next_step: "visio avec {colleague} {day} ; convention envoyée.",
            short_summary: "Demande de partenariat par {who} ; rendez-vous avec {colleague} {day}.",
        },
        Ending {
            tags: &["partnership", "follow_up"],
            steps: &[
                Them(&[
                    "D'accord. Vous pouvez m'envoyer ça ? J'en parle à mon associée.",
                    "J'aimerais d'abord lire les conditions.",
                ]),
                Us(&[
                    "Bien sûr. Je vous envoie la convention et les tarifs aujourd'hui.",
                    "Vous aurez tout par écrit aujourd'hui. Je peux vous rappeler {day} ?",
                ]),
                Them(&[
                    "Oui, {day} on en saura plus.",
                    "Appelez-moi {day}, on en aura discuté.",
                ]),
            ],
            summary: &[
                "{who} se renseigne sur la revente pour environ {seats} clients ; {discount} proposés.",
                "Lecture des conditions d'abord.",
            ],
            next_step: "convention envoyée, {agent} rappelle {day}.",
            short_summary: "{who} réfléchit à un partenariat ; rappel {day}.",
        },
    ],
};

/// Somebody applies for a job.
pub(super) const JOB_APPLICATION: Scenario = Scenario {
    topic: Topic::JobApplication,
    weight: 2,
    inbound: &[Them(&[
        "J'appelle pour l'annonce, le poste au service client. Il est toujours à pourvoir ?",
        "J'ai vu que vous recrutez au service commercial. J'aimerais postuler, et j'ai une ou deux questions.",
    ])],
    outbound: &[
        Us(&[
            "Vous avez postulé au service client, et j'aimerais faire votre connaissance.",
            "Merci pour votre candidature. J'ai une dizaine de minutes de questions, si ça vous va.",
        ]),
        Them(&[
            "Oh, formidable. J'espérais votre appel.",
            "Avec plaisir. Je ferme juste la porte.",
        ]),
    ],
    body: &[
        Us(&[
            "Le poste est toujours à pourvoir. Qu'est-ce que vous faites actuellement ?",
            "Autant vous le dire tout de suite : c'est encore ouvert. Quel est votre parcours ?",
        ]),
        Them(&[
            "Je travaille dans un centre d'assistance depuis {hours} ans. Téléphone, e-mail, chat.",
            "Je fais de la vente par téléphone depuis {hours} ans, surtout avec des petites entreprises.",
        ]),
        Us(&[
            "Et pourquoi souhaitez-vous changer ?",
            "Qu'est-ce qui vous donne envie de bouger ?",
        ]),
        Them(&[
            "J'aimerais moins de scripts et plus de temps pour le client.",
            "La société déménage, et moi je reste.",
        ]),
        Us(&[
            "Je comprends. Vous pourriez commencer quand ?",
            "C'est clair. Vous auriez quel préavis ?",
        ]),
        Them(&["Dans {weeks} semaines.", "Mon préavis est de {weeks} semaines."]),
        Maybe(&[
            Us(&[
                "Vous avez des questions ?",
                "Qu'est-ce que vous aimeriez savoir ?",
            ]),
            Them(&[
                "Le télétravail est possible ?",
                "L'équipe compte combien de personnes ?",
            ]),
            Us(&[
                "On est six, et le télétravail est possible jusqu'à trois jours par semaine.",
                "Six personnes, avec jusqu'à trois jours de télétravail.",
            ]),
            Them(&["C'est bon à savoir.", "Ça me plaît."]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["job_application", "meeting_booked"],
            steps: &[
                Us(&[
                    "Ça correspond bien. J'aimerais vous présenter {colleague}. {day} à {time}, c'est possible ?",
                    "Je propose qu'on se rencontre, avec {colleague}. {day}, {time}, dans nos bureaux ?",
                ]),
                Them(&[
                    "Oui, avec grand plaisir. {day}, ça me va.",
                    "Volontiers. Je dois préparer quelque chose ?",
                ]),
                Us(&[
                    "Venez comme vous êtes. Je vous envoie l'adresse et une invitation.",
                    "C'est une discussion, pas un examen. L'invitation arrive par e-mail.",
                ]),
                Them(&[
                    "Merci, j'ai hâte d'y être.",
                    "Merci, c'est une très bonne nouvelle.",
                ]),
            ],
            summary: &[
                "Candidature : {name}, {hours} ans d'expérience, disponible dans {weeks} semaines.",
                "Entretien avec {colleague} fixé {day} à {time}.",
            ],
            next_step: "invitation envoyée par e-mail.",
            short_summary: "Entretien d'embauche avec {name} prévu {day}.",
        },
        Ending {
            tags: &["job_application", "follow_up"],
            steps: &[
                Us(&[
                    "Alors envoyez-moi votre CV, et {colleague} vous répond sous {days} jours.",
                    "Vous pouvez nous envoyer votre CV ? {colleague} choisit les candidatures.",
                ]),
                Them(&[
                    "Bien sûr, à quelle adresse ?",
                    "Je le fais ce soir. Il y a une date limite ?",
                ]),
                Us(&[
                    "L'adresse est dans l'annonce, et la date limite, c'est {date2}.",
                    "À l'adresse de l'annonce, avant {date2} si possible.",
                ]),
                Them(&[
                    "Parfait, vous l'aurez aujourd'hui.",
                    "Très bien, je vous l'envoie.",
                ]),
            ],
            summary: &[
                "{name} se renseigne sur le poste, {hours} ans d'expérience, disponible dans {weeks} semaines.",
            ],
            next_step: "CV à recevoir (date limite : {date2}) ; {colleague} répond sous {days} jours.",
            short_summary: "{name} se renseigne sur le poste et envoie un CV.",
        },
    ],
};
