//! The argument of `--client`.

use cutover_core::ids::LaneId;

/// The program for a lane, its words divided by spaces.
pub fn program(text: &str) -> Result<(LaneId, Vec<String>), String> {
    let (lane, command) = text.split_once('=').ok_or("give LANE=COMMAND, as in legacy='python3 client.py'")?;
    let lane = LaneId::BOTH.into_iter().find(|known| known.as_str() == lane.trim());
    let lane = lane.ok_or("the lane is `legacy` or `candidate`")?;
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() { Err("there is no command".to_owned()) } else { Ok((lane, words)) }
}
