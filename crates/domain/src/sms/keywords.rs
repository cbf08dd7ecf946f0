//! The words by which people stop texts, take them up again, or ask for help.
//!
//! The opt-out words are those of the US rule on revoking consent (47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt
//! out, cancel, unsubscribe), of the carriers' principles that CTIA publishes (STOPALL, and START, UNSTOP and HELP), of
//! Canada's bilingual programmes (ARRET, AIDE, INFO) and of the French short codes of the 36xxx range (STOP, CONTACT).
//! French texts say "STOP au 36xxx", which many people send back as it stands.
//!
//! A keyword is the whole message: case, accents, punctuation, emoji and repetition do not matter, another word does.
//! "Stop!" is one, "please stop by at noon" is not.

use crate::text::words;

/// What a keyword asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// No more texts from this line.
    OptOut,
    /// Texts from this line again. YES is among the words, so this means something only where there is an opt-out to
    /// lift: anywhere else it is a text like any other, and is not answered.
    OptIn,
    /// Who is texting, and how to stop it.
    Help,
}

/// The languages of the standard answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

/// A keyword as it was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recognised {
    /// What it asks for.
    pub keyword: Keyword,
    /// The language that the word belongs to; `None` where it is of both, as STOP is.
    pub language: Option<Language>,
}

/// More words than any keyword has.
const MAX_WORDS: usize = 8;

/// What the message `text` asks for, if it is a keyword.
#[must_use]
pub fn keyword(text: &str) -> Option<Keyword> {
    recognise(text).map(|recognised| recognised.keyword)
}

/// Like [`keyword`], and in which language.
#[must_use]
pub fn recognise(text: &str) -> Option<Recognised> {
    use Keyword::{Help, OptIn, OptOut};
    use Language::{English, French};
    let mut words = words(text);
    if words.len() > MAX_WORDS {
        return None;
    }
    words.dedup();
    if words.len() > 1 && words.last().is_some_and(|word| is_french_short_code(word)) {
        words.pop();
        if words.last().is_some_and(|word| word == "au") {
            words.pop();
        }
        return matches!(words.join(" ").as_str(), "stop" | "stop sms" | "sms stop").then_some(Recognised {
            keyword: OptOut,
            language: Some(French),
        });
    }
    let (keyword, language) = match words.join(" ").as_str() {
        "stop" | "stop sms" | "sms stop" => (OptOut, None),
        "stopall" | "stop all" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout"
        | "opt out" => (OptOut, Some(English)),
        "arret" | "arrete" | "arreter" | "arretez" | "arret sms" | "stop pub" | "desabonner"
        | "me desabonner" | "desabonnez moi" | "desabonnez" | "desabonnement" | "desinscrire"
        | "me desinscrire" | "desinscription" => (OptOut, Some(French)),
        "start" | "start sms" => (OptIn, None),
        "yes" | "unstop" | "optin" | "opt in" | "subscribe" => (OptIn, Some(English)),
        "debut" | "debuter" | "reprendre" | "reabonner" | "me reabonner" | "reabonnement" => {
            (OptIn, Some(French))
        }
        "info" | "contact" => (Help, None),
        "help" => (Help, Some(English)),
        "aide" | "infos" => (Help, Some(French)),
        _ => return None,
    };
    Some(Recognised { keyword, language })
}

/// 36xxx carries marketing, 38xxx notices (the numbering plan of the French operators for texts of businesses).
fn is_french_short_code(word: &str) -> bool {
    word.len() == 5
        && word.bytes().all(|byte| byte.is_ascii_digit())
        && (word.starts_with("36") || word.starts_with("38"))
}

impl Language {
    /// The language of a line by its `country` (ISO 3166-1 alpha-2): French where texts of businesses are in French,
    /// English everywhere else. In countries of several languages the word that somebody sent decides: see
    /// [`Recognised::language`].
    #[must_use]
    pub fn of_country(country: &str) -> Self {
        match country {
            "FR" | "MC" | "GP" | "MQ" | "GF" | "RE" | "YT" | "PM" | "BL" | "MF" | "NC" | "PF" | "WF"
            | "BJ" | "BF" | "CD" | "CG" | "CI" | "GA" | "GN" | "ML" | "NE" | "SN" | "TG" => Self::French,
            _ => Self::English,
        }
    }
}

/// The longest name in an answer, in characters; what is longer is cut.
const MAX_NAME: usize = 40;

/// The standard answer to a keyword, in the name of the team. It fits into one segment where the name is of the GSM-7
/// alphabet.
///
/// Answers are the one kind of text that goes to somebody who opted out. One is due for each change, and not for each
/// word: a second STOP is not answered, so that two machines cannot talk to each other for ever.
#[must_use]
pub fn answer(keyword: Keyword, language: Language, name: &str) -> String {
    use Keyword::{Help, OptIn, OptOut};
    use Language::{English, French};
    let name: String = name.trim().chars().take(MAX_NAME).collect();
    match (keyword, language) {
        (OptOut, English) => {
            format!("{name}: you will get no more texts from this number. Reply START to get them again.")
        }
        (OptIn, English) => format!(
            "{name}: you will get our texts again. Msg & data rates may apply. Reply HELP for help, STOP to stop."
        ),
        (Help, English) => {
            format!(
                "{name}: write to this number to reach us. Msg & data rates may apply. Reply STOP to stop."
            )
        }
        (OptOut, French) => {
            format!(
                "{name} : vous ne recevrez plus de SMS de ce numéro. Répondez START pour en recevoir à nouveau."
            )
        }
        (OptIn, French) => {
            format!(
                "{name} : vous recevrez à nouveau nos SMS. Répondez AIDE pour de l'aide, STOP pour ne plus en recevoir."
            )
        }
        (Help, French) => {
            format!(
                "{name} : écrivez à ce numéro pour nous joindre. Répondez STOP pour ne plus recevoir de SMS."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sms::segments::{Encoding, count};

    #[test]
    fn keywords_are_whole_messages() {
        use Keyword::{Help, OptIn, OptOut};
        for (wanted, texts) in [
            (
                OptOut,
                &[
                    "STOP",
                    "stop",
                    " Stop. ",
                    "STOP!!!",
                    "\u{ab} stop \u{bb}",
                    "ＳＴＯＰ",
                    "STOP 🛑",
                    "stop stop STOP",
                    "StopAll",
                    "STOP ALL",
                    "Unsubscribe",
                    "cancel",
                    "End",
                    "QUIT",
                    "revoke",
                    "opt-out",
                    "OPTOUT",
                    "ARRET",
                    "Arrêt",
                    "ARRÊT\n",
                    "arre\u{302}t",
                    "Arrêtez !",
                    "STOP SMS",
                    "stop-sms",
                    "Stop pub",
                    "Désabonner",
                    "DESABONNEMENT",
                    "me désabonner",
                    "Désinscription",
                    "STOP 36179",
                    "STOP au 36179",
                    "Stop SMS au 36180.",
                    "stop au 38123",
                ][..],
            ),
            (
                OptIn,
                &[
                    "START",
                    "start.",
                    "Yes",
                    "YES!",
                    "yes?",
                    "unstop",
                    "Début",
                    "DEBUT",
                    "reprendre",
                    "Réabonner",
                ][..],
            ),
            (
                Help,
                &["HELP", "help?", "Info", "AIDE", "aide !", "infos", "CONTACT"][..],
            ),
        ] {
            for text in texts {
                assert_eq!(keyword(text), Some(wanted), "{text:?}");
            }
        }
    }

    #[test]
    fn a_word_within_a_sentence_is_none() {
        for text in [
            "",
            " ",
            "?!",
            "🛑",
            "S.T.O.P",
            "st op",
            "stopp",
            "nonstop",
            "don't stop",
            "Please stop by at noon",
            "STOP texting John about it",
            "stop it",
            "cancel my order",
            "Can you cancel?",
            "the end",
            "End of May",
            "help me",
            "Need help",
            "yes please",
            "Yes, see you at five",
            "start at nine",
            "no",
            "non",
            "oui",
            "au",
            "36179",
            "au 36179",
            "help 36179",
            "stop 361790",
            "stop 12345",
            "stop au",
            "STOP au 06 12 34 56 78",
            "L'arrêt de bus",
            "arrêt maladie",
            "au début",
            "Stop, sinon je me plains",
            "à l'aide",
            "info sur ma commande",
            "no stop",
        ] {
            assert_eq!(keyword(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_language_is_that_of_the_word() {
        for (text, language) in [
            ("stop", None),
            ("STOP au 36179", Some(Language::French)),
            ("Arrêt", Some(Language::French)),
            ("unsubscribe", Some(Language::English)),
            ("aide", Some(Language::French)),
            ("info", None),
            ("yes", Some(Language::English)),
        ] {
            assert_eq!(
                recognise(text).map(|found| found.language),
                Some(language),
                "{text:?}"
            );
        }
        assert_eq!(Language::of_country("FR"), Language::French);
        assert_eq!(Language::of_country("US"), Language::English);
        assert_eq!(Language::of_country("CA"), Language::English);
    }

    #[test]
    fn an_answer_is_one_segment_and_no_keyword() {
        for keyword in [Keyword::OptOut, Keyword::OptIn, Keyword::Help] {
            for language in [Language::English, Language::French] {
                for name in ["Acme", "Société Générale d'Électricité du Midi-Pyrénées & fils"] {
                    let text = answer(keyword, language, name);
                    let size = count(&text);
                    assert_eq!((size.encoding, size.segments), (Encoding::Gsm7, 1), "{text}");
                    assert!(text.starts_with(&name[..4]), "{text}");
                    assert_eq!(recognise(&text), None, "{text}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn another_word_makes_it_a_text(
            word in "(stop|arrêt|start|help|cancel|yes|aide)",
            more in "[b-df-hj-np-tv-z]{4,9}",
            before in any::<bool>(),
        ) {
            let text = if before { format!("{more} {word}") } else { format!("{word}, {more}") };
            prop_assert_eq!(keyword(&text), None);
        }

        #[test]
        fn dress_does_not_matter(
            word in "(stop|arrêt|désabonner|start|help|cancel|aide)",
            head in "[ !.?*\"'«(\n-]{0,5}",
            tail in "[ !.?*\"'»)\n-]{0,5}",
            upper in any::<bool>(),
        ) {
            let dressed = if upper { word.to_uppercase() } else { word.clone() };
            prop_assert_eq!(recognise(&format!("{head}{dressed}{tail}")), recognise(&word));
        }
    }
}
