//! Which segments to join. Searches pay for every segment, writing pays for every time a document is copied.
//!
//! Taken from the smallest upwards, segments are joined as soon as there are several and the largest of them is not
//! large beside the others: so whatever is copied ends up in a segment that is much larger than the one it came
//! from. In the long run a document is copied five times or so, and there are about twenty segments at most (the test
//! below holds it to that). Segments of which much was replaced are joined sooner, which gets rid of the old versions.

use tantivy::index::SegmentId;

/// Segments that are joined at the least.
const FEWEST: usize = 8;
/// Segments that are joined at most: it bounds the files that are open at a time.
const MOST: usize = 24;
/// How many times the documents of the largest segment the smaller ones must have together.
const OTHERS: u32 = 2;
/// Documents beyond which segments are left alone, as long as little of them was replaced.
const LARGEST: u32 = 8_000_000;
/// Of so many documents one may be an old version.
const STALE_SHARE: u32 = 4;
/// Documents below which nobody minds old versions: these segments are joined soon anyway.
const STALE_FROM: u32 = 4_096;
/// Documents that the quiet join puts together at most.
const QUIET_DOCS: u32 = 50_000;

/// What the choice is made by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub id: SegmentId,
    pub docs: u32,
    pub replaced: u32,
}

/// The segments to join next, if any should be.
pub(crate) fn next_merge(segments: &[Candidate]) -> Option<Vec<SegmentId>> {
    let is_stale = |s: &&Candidate| {
        let all = s.docs.saturating_add(s.replaced);
        all >= STALE_FROM && s.replaced > all / STALE_SHARE
    };
    if let Some(stale) = segments.iter().find(is_stale) {
        let smaller = ascending(segments.iter().filter(|s| s.docs < stale.docs.min(LARGEST)));
        let mut ids: Vec<SegmentId> = smaller.into_iter().map(|s| s.id).take(MOST - 1).collect();
        ids.push(stale.id);
        return Some(ids);
    }
    let sorted = ascending(segments.iter().filter(|s| s.docs < LARGEST));
    let (mut others, mut joined) = (0u32, 0);
    for (before, segment) in sorted.iter().enumerate().take(MOST) {
        if before + 1 >= FEWEST && segment.docs.saturating_mul(OTHERS) <= others {
            joined = before + 1;
        }
        others = others.saturating_add(segment.docs);
    }
    (joined > 0).then(|| sorted[..joined].iter().map(|s| s.id).collect())
}

fn ascending<'c>(segments: impl Iterator<Item = &'c Candidate>) -> Vec<&'c Candidate> {
    let mut sorted: Vec<&Candidate> = segments.collect();
    sorted.sort_by_key(|s| s.docs);
    sorted
}

/// The segments to join when nothing else is to be done: the small ones, as many as are joined in a moment.
pub(crate) fn quiet_merge(segments: &[Candidate]) -> Option<Vec<SegmentId>> {
    let mut sum = 0;
    let fitting = ascending(segments.iter()).into_iter().take_while(|s| {
        sum += s.docs;
        sum <= QUIET_DOCS
    });
    let ids: Vec<SegmentId> = fitting.map(|s| s.id).take(MOST).collect();
    (ids.len() >= 3).then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(docs: u32, replaced: u32) -> Candidate {
        Candidate {
            id: SegmentId::generate_random(),
            docs,
            replaced,
        }
    }

    #[test]
    fn a_document_is_copied_a_few_times_and_segments_stay_few() {
        let mut segments: Vec<Candidate> = Vec::new();
        let (mut copied, mut most) = (0u64, 0);
        let commits = 20_000;
        for _ in 0..commits {
            segments.push(candidate(20, 0));
            while let Some(ids) = next_merge(&segments) {
                let joined: u32 = segments
                    .iter()
                    .filter(|s| ids.contains(&s.id))
                    .map(|s| s.docs)
                    .sum();
                segments.retain(|s| !ids.contains(&s.id));
                segments.push(candidate(joined, 0));
                copied += u64::from(joined);
            }
            most = most.max(segments.len());
        }
        assert!(most <= 24, "{most} segments");
        assert!(
            copied < commits * 20 * 6,
            "{copied} documents copied for {}",
            commits * 20
        );
    }

    #[test]
    fn stale_segments_are_rewritten() {
        let segments = [
            candidate(1_000_000, 0),
            candidate(800_000, 300_000),
            candidate(10, 0),
        ];
        let ids = next_merge(&segments).unwrap();
        assert!(
            ids.contains(&segments[1].id) && ids.contains(&segments[2].id) && !ids.contains(&segments[0].id)
        );
        assert!(next_merge(&[candidate(800_000, 100_000)]).is_none());
        assert!(next_merge(&[candidate(1, 1)]).is_none());
        assert_eq!(next_merge(&[candidate(0, 5_000)]).unwrap().len(), 1);
    }

    #[test]
    fn quiet_times_join_what_is_small() {
        let segments = [
            candidate(900_000, 0),
            candidate(30_000, 0),
            candidate(5, 0),
            candidate(700, 0),
            candidate(49_000, 0),
        ];
        let ids = quiet_merge(&segments).unwrap();
        assert_eq!(ids.len(), 3);
        assert!(!ids.contains(&segments[0].id) && !ids.contains(&segments[4].id));
        assert!(quiet_merge(&segments[..2]).is_none());
    }
}
