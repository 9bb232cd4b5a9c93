//! Room in the kernel for packets that wait.

use std::os::fd::AsFd;

use rustix::net::sockopt;

/// Gives a socket this much room for what comes and for what goes, in bytes. As root the kernel's own bound
/// (`net.core.rmem_max`, which usually holds some two hundred packets) does not count; else it is all there is, which is
/// no reason to serve nobody.
pub(in crate::server) fn make_room(socket: impl AsFd, bytes: usize) {
    let socket = socket.as_fd();
    if sockopt::set_socket_recv_buffer_size_force(socket, bytes).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(socket, bytes);
    }
    let _ = sockopt::set_socket_send_buffer_size(socket, bytes);
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_socket_has_more_room_than_before() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
        let before = sockopt::socket_recv_buffer_size(&socket).unwrap();
        make_room(&socket, 1 << 20);
        assert!(sockopt::socket_recv_buffer_size(&socket).unwrap() > before);
    }
}
