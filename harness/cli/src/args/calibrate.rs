//! The arguments of `cutover calibrate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use cutover_core::calibration::PATH;
use cutover_core::ids::Seed;
use cutover_core::plan::defect::{Kind, Place};

use super::fuzz::duration;
use super::{LaneArgs, TextOrJson, jobs};

pub const EXAMPLES: &str = "\
Examples:
  cutover calibrate --save --clean 10
      Plant every defect, run 10 seeds of right lanes, and save the result.
  cutover calibrate --place reference --kind key
      Plant the defects of one place and kind.
  cutover calibrate --defect join-keys
      See what finds one defect.

Exit codes:
   0  every defect was found that is not a known survivor
   1  a defect survived, or a right lane was blocked
   3  a lane or the environment is unavailable
  64  an argument is wrong";

#[derive(Debug, Clone, Args)]
pub struct CalibrateArgs {
    /// Plant only defects of this place
    #[arg(long, value_name = "PLACE", value_parser = place(), help_heading = "Defects")]
    pub place: Option<Place>,
    /// Plant only defects of this kind
    #[arg(long, value_name = "KIND", value_parser = kind(), help_heading = "Defects")]
    pub kind: Option<Kind>,
    /// Plant only this defect; may be repeated
    #[arg(long = "defect", value_name = "NAME", help_heading = "Defects")]
    pub defects: Vec<String>,
    /// Also run N seeds of right lanes, and as many of each lane against itself, and count false alarms
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Defects")]
    pub clean: u32,
    /// Begin no further defect after this time (90s, 10m, 1h)
    #[arg(long = "for", value_name = "TIME", value_parser = duration, help_heading = "Run")]
    pub time: Option<Duration>,
    /// The seed of all random choices
    #[arg(long, value_name = "N", default_value = "42", value_parser = super::seed, help_heading = "Run")]
    pub seed: Seed,
    /// Plant at most N defects at the same time [default: 4 for each core]
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = "Run")]
    pub jobs: Option<usize>,
    #[command(flatten)]
    pub lanes: LaneArgs,
    /// Save the result in this file, which is built into the tool
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = PATH, help_heading = "Output")]
    pub save: Option<PathBuf>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub format: TextOrJson,
}

fn place() -> impl TypedValueParser<Value = Place> {
    let named = |name: String| Place::ALL.into_iter().find(|place| place.as_str() == name).ok_or("no such place");
    PossibleValuesParser::new(Place::ALL.map(Place::as_str)).try_map(named)
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    let named = |name: String| Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or("no such kind");
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)).try_map(named)
}
