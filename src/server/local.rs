//! The local API: plan and apply for the command line, over the Unix socket.
