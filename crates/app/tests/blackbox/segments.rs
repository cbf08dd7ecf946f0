//! The size of texts, judged by smpplib: it encodes and cuts some thousand of them as a carrier would.

use serde_json::Value;
use tokio::process::Command;
use trunkline_domain::sms::segments::count;

use crate::support::Random;
use crate::support::program::{finish, text};
use crate::support::python::{piped, programs, script};

/// Characters that smpplib has otherwise than 3GPP TS 23.038: it puts the grave accent where the section sign is, does
/// not know the page break of the extension table, and takes the escape for a character.
const DISPUTED: [char; 4] = ['`', '§', '\u{c}', '\u{1b}'];

/// What texts are made of: plain, the default alphabet, its extension table, and what is in neither.
const POOLS: [&str; 6] = [
    "abcdefghijklmnopqrstuvwxyz ,.'ABCXYZ0123456789\n",
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&()*+-/:;<=>?¡ÄÖÑÜ¿äöñüà\r",
    "^{}\\[~]|€",
    "êçôœ’“”…–«»\t",
    "яжщ中文字かなعر",
    "😀👍🏽🇫🇷👩‍👩‍👧",
];

#[tokio::test]
async fn smpplib_counts_the_same() {
    let programs = programs().await;
    let mut texts = edges();
    let mut random = Random::new(23_038);
    texts.extend((0..4_000).map(|_| any_text(&mut random)));
    let mut python = Command::new(programs.join("python"));
    python.arg(text(&script("sms_segments.py")));
    let input = serde_json::to_string(&texts).expect("JSON");
    let judged = finish(piped(python), Some(&input)).await.json();
    let judged = judged.as_array().expect("a list");
    assert_eq!(judged.len(), texts.len());

    let mut cut_through = 0;
    for (text, judge) in texts.iter().zip(judged) {
        let ours = count(text);
        let shape: [Value; 3] = [
            ours.encoding.as_str().into(),
            ours.units.into(),
            ours.segments.into(),
        ];
        let theirs = ["encoding", "units", "whole_parts"].map(|field| judge[field].clone());
        assert_eq!(shape, theirs, "{text:?}");
        // Where smpplib cuts through a character, its own count of parts is not one that phones can show.
        if judge["cut_through"] == Value::Bool(true) {
            cut_through += 1;
        } else {
            assert_eq!(judge["parts"], ours.segments, "{text:?}");
        }
    }
    assert!(
        cut_through > 100,
        "only {cut_through} texts have something to keep whole"
    );
}

/// Around every limit, with characters of one unit and of two, alone and mixed.
fn edges() -> Vec<String> {
    let mut texts = vec![String::new()];
    for unit in ["a", "é", "€", "ê", "я", "😀", "a€", "€a", "ê😀", "😀ê"] {
        for units in [
            66, 67, 68, 70, 71, 134, 135, 153, 154, 160, 161, 201, 202, 306, 307, 459, 460, 1_000,
        ] {
            for characters in [units / 2, units - 1, units, units + 1] {
                texts.push(unit.chars().cycle().take(characters).collect());
            }
        }
    }
    let all = POOLS.concat();
    texts.extend(all.chars().map(String::from));
    texts.extend(('\u{20}'..'\u{500}').map(String::from));
    texts.retain(|text| !text.contains(DISPUTED));
    texts
}

/// Mostly of the alphabet, sometimes with something that is not.
fn any_text(random: &mut Random) -> String {
    let pools = match random.below(8) {
        0 | 1 => &POOLS[..1],
        2 | 3 => &POOLS[..2],
        4 | 5 => &POOLS[..3],
        6 => &POOLS[..4],
        _ => &POOLS[..],
    };
    let pools: Vec<Vec<char>> = pools.iter().map(|pool| pool.chars().collect()).collect();
    let length = random.below(700);
    let mut pick = |bound: usize| usize::try_from(random.below(bound as u64)).expect("a small number");
    (0..length)
        .map(|_| {
            let pool = &pools[pick(pools.len())];
            pool[pick(pool.len())]
        })
        .collect()
}
