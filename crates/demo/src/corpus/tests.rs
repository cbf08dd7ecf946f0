//! What holds for the whole corpus.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::script::{Ending, Step};
use super::*;

const LANGUAGES: [Language; 2] = [Language::English, Language::French];

fn contact() -> ContactNames {
    ContactNames {
        first: "Inès".into(),
        last: "Okafor".into(),
    }
}

/// Calls of one language in both directions, half of them with a company.
fn calls(language: Language, count: u64) -> Vec<(bool, CallText)> {
    (0..count)
        .map(|seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            let inbound = seed % 2 == 0;
            let company = (seed % 4 < 2).then_some("Atelier Valmont");
            let agent = if language == Language::English {
                "Maren"
            } else {
                "Solène"
            };
            (
                inbound,
                call(&mut rng, language, inbound, agent, &contact(), company),
            )
        })
        .collect()
}

fn voicemails(language: Language, count: u64) -> Vec<CallText> {
    let mut rng = StdRng::seed_from_u64(count);
    (0..count)
        .map(|number| {
            let company = (number % 2 == 0).then_some("Atelier Valmont");
            voicemail(&mut rng, language, &contact(), company)
        })
        .collect()
}

fn texts(language: Language, count: u64) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(count);
    let mut texts = Vec::new();
    for number in 0..count {
        let company = (number % 2 == 0).then_some("Atelier Valmont");
        let thread = text_thread(&mut rng, language, "Theo", &contact(), company);
        assert!((1..=6).contains(&thread.len()), "{thread:?}");
        assert_eq!(thread[0].gap_seconds, 0);
        assert!(thread[1..].iter().all(|line| line.gap_seconds > 0));
        texts.extend(thread.into_iter().map(|line| line.text));
        for speaker in [Speaker::User, Speaker::External] {
            texts.push(single_text(
                &mut rng,
                language,
                speaker,
                "Theo",
                &contact(),
                company,
            ));
        }
    }
    texts
}

fn everything_of(text: &CallText) -> String {
    let mut all: Vec<&str> = text.lines.iter().map(|line| line.text.as_str()).collect();
    all.extend([text.summary.as_str(), text.short_summary.as_str()]);
    all.join("\n")
}

fn has_accent(text: &str) -> bool {
    text.chars().any(|character| "éèêàùûôîïçœÉÀÇ".contains(character))
}

fn phrasebook(language: Language) -> &'static script::Phrasebook {
    match language {
        Language::English => &calls_en::PHRASEBOOK,
        Language::French => &calls_fr::PHRASEBOOK,
    }
}

fn collect_templates(steps: &[Step], templates: &mut Vec<&'static str>) {
    for step in steps {
        match step {
            Step::Us(phrases) | Step::Them(phrases) => {
                assert!(!phrases.is_empty(), "a turn without a phrase");
                templates.extend_from_slice(phrases);
            }
            Step::Maybe(inner) => collect_templates(inner, templates),
            Step::OneOf(courses) => courses
                .iter()
                .for_each(|course| collect_templates(course, templates)),
            Step::Hold => {}
        }
    }
}

/// How many lines `steps` can at least and at most become.
fn line_range(steps: &[Step]) -> (usize, usize) {
    steps
        .iter()
        .map(|step| match step {
            Step::Us(_) | Step::Them(_) => (1, 1),
            Step::Hold => (0, 0),
            Step::Maybe(inner) => (0, line_range(inner).1),
            Step::OneOf(courses) => {
                let ranges = courses.iter().map(|course| line_range(course));
                ranges
                    .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
                    .unwrap_or_default()
            }
        })
        .fold((0, 0), |sum, range| (sum.0 + range.0, sum.1 + range.1))
}

fn collect_ending(ending: &Ending, templates: &mut Vec<&'static str>) {
    collect_templates(ending.steps, templates);
    templates.extend_from_slice(ending.summary);
    templates.extend([ending.next_step, ending.short_summary]);
}

/// Every template of a language, drawn or not.
fn templates(language: Language) -> Vec<&'static str> {
    let mut templates = Vec::new();
    let phrases = phrasebook(language);
    for steps in [phrases.answer, phrases.dial, phrases.wrap_up, phrases.farewell] {
        collect_templates(steps, &mut templates);
    }
    for aside in phrases.asides {
        collect_templates(aside, &mut templates);
    }
    for scenario in phrases.scenarios {
        for steps in [scenario.inbound, scenario.outbound, scenario.body] {
            collect_templates(steps, &mut templates);
        }
        for ending in scenario.endings {
            collect_ending(ending, &mut templates);
        }
    }
    let (messages, texts) = match language {
        Language::English => (voicemails_en::MESSAGES, &texts_en::MESSAGES),
        Language::French => (voicemails_fr::MESSAGES, &texts_fr::MESSAGES),
    };
    for message in messages {
        collect_ending(&message.ending, &mut templates);
    }
    for exchange in texts.exchanges {
        collect_templates(exchange, &mut templates);
    }
    templates.extend_from_slice(texts.ours);
    templates.extend_from_slice(texts.theirs);
    templates
}

#[test]
fn every_template_is_balanced_and_names_known_slots() {
    let mut rng = StdRng::seed_from_u64(0);
    for language in LANGUAGES {
        let facts = Facts::draw(&mut rng, language, "Theo", &contact(), None);
        for template in templates(language) {
            for (open, close) in [('[', ']'), ('{', '}')] {
                assert_eq!(
                    template.matches(open).count(),
                    template.matches(close).count(),
                    "{template}"
                );
            }
            for slot in template.split('{').skip(1) {
                let slot = slot.split('}').next().unwrap_or_default();
                assert!(facts.get(slot).is_some(), "unknown slot {slot} in: {template}");
            }
        }
    }
}

#[test]
fn the_corpus_is_large_enough_to_vary() {
    for language in LANGUAGES {
        let count = templates(language).len();
        assert!(count > 900, "{language:?} has only {count} phrases");
        let phrases = phrasebook(language);
        assert!(
            phrases
                .scenarios
                .iter()
                .all(|scenario| scenario.endings.len() >= 2)
        );
        let distinct: BTreeSet<String> = calls(language, 2_000)
            .iter()
            .map(|(_, text)| everything_of(text))
            .collect();
        assert_eq!(distinct.len(), 2_000);
    }
}

#[test]
fn the_same_seed_gives_the_same_words() {
    for language in LANGUAGES {
        assert_eq!(calls(language, 40), calls(language, 40));
        assert_eq!(voicemails(language, 40), voicemails(language, 40));
        assert_eq!(texts(language, 40), texts(language, 40));
    }
}

#[test]
fn every_scenario_is_reached_in_every_direction_it_has() {
    for language in LANGUAGES {
        let mut reached: BTreeMap<Topic, (bool, bool)> = BTreeMap::new();
        for (inbound, text) in calls(language, 1_500) {
            let (in_seen, out_seen) = reached.entry(text.topic).or_default();
            *(if inbound { in_seen } else { out_seen }) = true;
        }
        let expected: BTreeMap<Topic, (bool, bool)> = phrasebook(language)
            .scenarios
            .iter()
            .map(|scenario| {
                (
                    scenario.topic,
                    (!scenario.inbound.is_empty(), !scenario.outbound.is_empty()),
                )
            })
            .collect();
        assert_eq!(reached, expected, "{language:?}");
        assert_eq!(expected.len(), Topic::ALL.len());
    }
}

#[test]
fn no_slot_and_no_bracket_is_left_over() {
    for language in LANGUAGES {
        let mut written: Vec<String> = calls(language, 1_000)
            .iter()
            .map(|(_, text)| everything_of(text))
            .collect();
        written.extend(voicemails(language, 300).iter().map(everything_of));
        written.extend(texts(language, 500));
        for text in written {
            assert!(!text.contains(['{', '}', '[', ']', '|']), "{text}");
            assert!(
                !text.contains("  ") && !text.contains(" ,") && !text.contains(" ."),
                "{text}"
            );
            assert!(!text.trim().is_empty());
            if language == Language::English {
                assert!(!text.contains(" ?") && !text.contains(" !"), "{text}");
            }
        }
    }
}

#[test]
fn every_possible_call_has_8_to_40_lines() {
    for language in LANGUAGES {
        let phrases = phrasebook(language);
        let mut asides: Vec<usize> = phrases.asides.iter().map(|aside| line_range(aside).1).collect();
        asides.sort_unstable();
        let aside_lines = asides.iter().rev().take(2).sum::<usize>();
        for scenario in phrases.scenarios {
            for (opening, lead) in [
                (phrases.answer, scenario.inbound),
                (phrases.dial, scenario.outbound),
            ] {
                for ending in scenario.endings {
                    let parts = [opening, lead, scenario.body, ending.steps, phrases.farewell];
                    let ranges = parts.map(line_range);
                    let fewest: usize = ranges.iter().map(|range| range.0).sum();
                    let mut most: usize = ranges.iter().map(|range| range.1).sum();
                    if scenario.topic.is_with_customer() {
                        most += aside_lines;
                    }
                    if scenario.topic != Topic::Prospecting {
                        most += line_range(phrases.wrap_up).1;
                    }
                    assert!(
                        fewest >= 8 && most <= 40,
                        "{:?}: {fewest} to {most}",
                        scenario.topic
                    );
                }
            }
        }
    }
}

#[test]
fn speakers_alternate_and_time_goes_on() {
    for language in LANGUAGES {
        for (_, text) in calls(language, 1_000) {
            assert!(
                (8..=40).contains(&text.lines.len()),
                "{} lines: {text:#?}",
                text.lines.len()
            );
            for pair in text.lines.windows(2) {
                assert_ne!(pair[0].speaker, pair[1].speaker, "{pair:#?} in {:?}", text.topic);
                assert!(pair[0].offset_ms < pair[1].offset_ms);
            }
            let last = text.lines.last().expect("a call has lines");
            assert!(text.duration_ms > last.offset_ms + 500);
            assert!(
                (30_000..=480_000).contains(&text.duration_ms),
                "{} ms",
                text.duration_ms
            );
        }
    }
}

#[test]
fn voicemails_are_short_and_one_sided() {
    for language in LANGUAGES {
        for text in voicemails(language, 600) {
            assert!(
                (8_000..=40_000).contains(&text.duration_ms),
                "{} ms: {text:#?}",
                text.duration_ms
            );
            assert!(text.lines.iter().all(|line| line.speaker == Speaker::External));
            assert!(text.tags.contains(&"voicemail"));
        }
    }
}

#[test]
fn every_tag_is_defined_and_every_definition_used() {
    let defined: BTreeSet<&str> = TAGS.iter().map(|(key, _, _)| *key).collect();
    assert_eq!(defined.len(), TAGS.len(), "a key is defined twice");
    for (key, name, color) in TAGS {
        assert!(
            key.chars()
                .all(|character| character.is_ascii_lowercase() || character == '_'),
            "{key}"
        );
        assert!(
            !name.is_empty() && color.len() == 7 && color.starts_with('#'),
            "{name} {color}"
        );
    }
    let mut used = BTreeSet::new();
    for language in LANGUAGES {
        for (_, text) in calls(language, 2_000) {
            used.extend(text.tags);
        }
        for text in voicemails(language, 300) {
            used.extend(text.tags);
        }
    }
    assert_eq!(used, defined);
}

#[test]
fn a_search_for_bill_ref_finds_english_calls() {
    let has_prefix = |text: &str, prefix: &str| {
        text.to_lowercase()
            .split(|character: char| !character.is_alphanumeric())
            .any(|word| word.starts_with(prefix))
    };
    let topics: BTreeSet<Topic> = calls(Language::English, 1_000)
        .iter()
        .filter(|(_, text)| {
            let spoken: Vec<&str> = text.lines.iter().map(|line| line.text.as_str()).collect();
            let spoken = spoken.join(" ");
            has_prefix(&spoken, "bill") && has_prefix(&spoken, "ref")
        })
        .map(|(_, text)| text.topic)
        .collect();
    let billing = [Topic::BillingQuestion, Topic::DuplicateCharge, Topic::Refund];
    assert!(billing.iter().all(|topic| topics.contains(topic)), "{topics:?}");
}

#[test]
fn french_is_written_with_accents_and_english_without() {
    for (_, text) in calls(Language::French, 500) {
        assert!(has_accent(&everything_of(&text)), "{text:#?}");
    }
    assert!(
        calls(Language::French, 500)
            .iter()
            .any(|(_, text)| everything_of(text).contains("été "))
    );
    for template in templates(Language::English) {
        assert!(!has_accent(&template.replace("résumé", "")), "{template}");
    }
}

#[test]
fn summaries_state_the_facts_of_the_call() {
    for language in LANGUAGES {
        for (_, text) in calls(language, 500) {
            assert!(everything_of(&text).contains("Okafor"));
            if text.topic == Topic::BillingQuestion {
                let invoice = text
                    .summary
                    .split_whitespace()
                    .find(|word| word.starts_with("CW-"))
                    .expect("the summary names the invoice")
                    .trim_end_matches([':', '.', ',', ';']);
                assert!(
                    text.lines.iter().any(|line| line.text.contains(invoice)),
                    "{text:#?}"
                );
            }
        }
    }
}

#[test]
fn people_are_complete_and_the_team_is_reachable() {
    let mut rng = StdRng::seed_from_u64(5);
    for language in LANGUAGES {
        for _ in 0..200 {
            let person = person(&mut rng, language);
            assert!(
                ![&person.first, &person.last, &person.job_title]
                    .iter()
                    .any(|text| text.is_empty())
            );
            assert_eq!(person.language, language);
        }
        assert!(TEAM.iter().filter(|member| member.language == language).count() >= 2);
    }
    assert_eq!(TEAM.len(), 6);
    assert!(
        TEAM.iter()
            .all(|member| member.email.ends_with(&format!("@{TEAM_DOMAIN}")))
    );
    assert!(TEAM.iter().any(|member| member.role == "ADMIN"));
}
