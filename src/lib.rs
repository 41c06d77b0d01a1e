//! portcullis checks firewall configs against the port tables that vendors publish.

pub mod baseline;
pub mod check;
pub mod cloud;
pub mod connections;
pub mod derive;
pub mod dialect;
pub mod diff;
pub mod discover;
pub mod evaluate;
pub mod finding;
pub mod init;
pub mod model;
pub mod packet;
pub mod policy;
pub mod report;
pub mod revision;
pub mod site;
pub mod source;
pub mod suite;
pub mod suppress;
pub mod trace;
pub mod tree;
