//! The simulator as a client sees it, over real sockets.

mod contract;
mod faults;
mod hris;
mod http;
mod program;
mod scenarios;
mod shapes;
