//! How many files a run may have open. A scenario has some hundred sockets, and a system's usual soft limit of 1024 is too
//! little for many scenarios at a time.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, for this process and the servers that it starts. Where that can't be done, the
/// limit stays as it is.
pub fn allow_as_many_as_possible() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_systems_own() {
        allow_as_many_as_possible();
        let limit = getrlimit(Resource::RLIMIT_NOFILE);
        assert!(limit.is_ok_and(|(soft, hard)| soft == hard), "{limit:?}");
    }
}
