//! Defects of leases, grants and the window.

use super::Around;
use crate::grant::{NewGrant, Withdrawal};
use crate::lease::db::{NewAccess, NewLease, Retirement, Revocation};
use crate::window::Client;
use crate::window::db::NewWindow;

impl Around for NewAccess {}
impl Around for NewLease {}
impl Around for Revocation {}
impl Around for Retirement {}
impl Around for NewGrant {}
impl Around for Withdrawal {}
impl Around for NewWindow {}
impl Around for Client {}
