//! Addresses of a test's own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// An address that no other socket gets. It refuses connections until the test listens there.
#[derive(Debug)]
pub struct Reserved {
    socket: Socket,
    address: SocketAddr,
}

impl Default for Reserved {
    fn default() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any.into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self { socket, address }
    }
}

impl Reserved {
    /// Its URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Listens there, with room for `backlog` connections that are not yet accepted.
    #[must_use]
    pub fn listen(self, backlog: i32) -> TcpListener {
        self.socket.listen(backlog).unwrap();
        self.socket.into()
    }
}
