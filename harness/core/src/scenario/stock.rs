pub fn stock() -> &'static [(&'static str, &'static str)] { &[] }
