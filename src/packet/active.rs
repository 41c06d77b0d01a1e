//! The lines of a list that a sweep is inside of, as it goes from one place to the next.
//!
//! INVARIANT: the list stays sorted, and has each line once.

/// Changes at one place up to which they are made one by one.
const FEW_CHANGES: usize = 8;

/// Adds lines to the sorted list and removes others, given in ascending order. Ranges of one line never overlap, so it is
/// never there twice; where one ends and another begins, it stays.
pub(super) fn toggle(active: &mut Vec<u32>, changes: &[(u32, bool)]) {
    if changes.len() > FEW_CHANGES {
        *active = merged(active, changes);
        return;
    }
    for &(line, opens) in changes {
        match active.binary_search(&line) {
            Err(at) if opens => active.insert(at, line),
            Ok(at) if !opens => {
                active.remove(at);
            }
            _ => {}
        }
    }
}

fn merged(active: &[u32], changes: &[(u32, bool)]) -> Vec<u32> {
    let mut merged = Vec::with_capacity(active.len() + changes.len());
    let mut active = active.iter().copied().peekable();
    for of_line in changes.chunk_by(|one, next| one.0 == next.0) {
        let Some(&(line, opens)) = of_line.last() else {
            continue;
        };
        while let Some(before) = active.next_if(|&other| other < line) {
            merged.push(before);
        }
        let _ = active.next_if_eq(&line);
        if opens {
            merged.push(line);
        }
    }
    merged.extend(active);
    merged
}
