//! The heights of the names in a table of arrows, and the cycles in it.

use std::collections::BTreeMap;

/// The arrows of a table: each name, with the names that it points to.
pub(super) type Arrows = BTreeMap<&'static str, &'static [&'static str]>;

/// Returns how far each name stands above the roots: the length of its longest way down.
///
/// # Errors
///
/// Returns the names of a cycle, the first one again at the end.
pub(super) fn heights(arrows: &Arrows) -> Result<BTreeMap<&'static str, usize>, Vec<&'static str>> {
    let mut heights = BTreeMap::new();
    for name in arrows.keys() {
        measure(name, arrows, &mut Vec::new(), &mut heights)?;
    }
    Ok(heights)
}

fn measure(
    name: &'static str,
    arrows: &Arrows,
    above: &mut Vec<&'static str>,
    heights: &mut BTreeMap<&'static str, usize>,
) -> Result<usize, Vec<&'static str>> {
    if let Some(&height) = heights.get(name) {
        return Ok(height);
    }
    if let Some(start) = above.iter().position(|it| *it == name) {
        return Err(above[start..].iter().copied().chain([name]).collect());
    }
    above.push(name);
    let mut height = 0;
    for to in arrows.get(name).copied().unwrap_or_default() {
        height = height.max(measure(to, arrows, above, heights)? + 1);
    }
    above.pop();
    heights.insert(name, height);
    Ok(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_height_is_the_longest_way_down() {
        let arrows = Arrows::from([("top", &["middle", "root"][..]), ("middle", &["root"]), ("root", &[])]);
        assert_eq!(heights(&arrows), Ok(BTreeMap::from([("root", 0), ("middle", 1), ("top", 2)])));
    }

    #[test]
    fn a_name_without_arrows_of_its_own_is_a_root() {
        assert_eq!(heights(&Arrows::from([("a", &["b"][..])])), Ok(BTreeMap::from([("a", 1), ("b", 0)])));
    }

    #[test]
    fn a_cycle_begins_and_ends_with_the_same_name() {
        for (arrows, cycle) in [
            (Arrows::from([("a", &["b"][..]), ("b", &["c"]), ("c", &["b"])]), &["b", "c", "b"][..]),
            (Arrows::from([("a", &["a"][..])]), &["a", "a"]),
        ] {
            assert_eq!(heights(&arrows), Err(cycle.to_vec()));
        }
    }
}
