use super::*;

/// The definition of RFC 6962, word by word.
fn defined(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            node(&defined(&leaves[..split]), &defined(&leaves[split..]))
        }
    }
}

#[test]
fn the_tree_grown_from_the_left_is_the_tree_as_defined() {
    let leaves: Vec<[u8; 32]> = (0..70u8).map(|n| Sha256::digest([n]).into()).collect();
    for count in 0..=leaves.len() {
        let mut tree = MerkleTree::default();
        leaves[..count].iter().for_each(|leaf| tree.push(*leaf));
        assert_eq!(tree.finish(), defined(&leaves[..count]), "{count} leaves");
    }
}
