//! As much of HTTP/1.1 as a client needs that knows its server.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, bail, ensure};

/// Reads responses, one after the other, in whatever pieces they arrive.
#[derive(Debug)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    filled: usize,
}

impl Default for Reader {
    fn default() -> Self {
        let buffer = vec![0; 4096];
        Self { buffer, filled: 0 }
    }
}

impl Reader {
    /// Reads once, and returns the body if that was the end of a response.
    ///
    /// Anything but a 200 is an error, and so are bytes that nobody has asked for.
    pub(crate) fn read(&mut self, stream: &mut impl Read) -> Result<Option<&[u8]>> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        match stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => bail!("the server has hung up"),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error).context("cannot read a response"),
        }
        let body = body(&self.buffer[..self.filled])?;
        if body.is_some() {
            self.filled = 0;
        }
        Ok(body)
    }
}

/// The response's body, if it is all there.
fn body(response: &[u8]) -> Result<Option<&[u8]>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(response).context("that is no response")?
    else {
        return Ok(None);
    };
    let length = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .context("a response without content-length")?;
    let length: usize = str::from_utf8(length.value)?.trim().parse()?;
    let body = &response[start..];
    ensure!(
        head.code == Some(200),
        "the server answers {}: {}",
        head.code.unwrap_or_default(),
        String::from_utf8_lossy(body)
    );
    ensure!(body.len() <= length, "more bytes than the response has");
    Ok((body.len() == length).then_some(body))
}

/// Sends a request without a body, on a connection of its own.
pub(crate) fn exchange(server: SocketAddr, method: &str, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: {server}\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut reader = Reader::default();
    loop {
        if let Some(body) = reader.read(&mut stream)? {
            return Ok(body.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nserver: x\r\n\r\nleft";

    /// Yields its pieces, one a read, then nothing for now.
    struct Pieces(Vec<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.0.remove(0).as_slice().read(buffer)
        }
    }

    fn read(pieces: &[&[u8]]) -> Vec<Result<Option<Vec<u8>>>> {
        let mut stream = Pieces(pieces.iter().map(|piece| piece.to_vec()).collect());
        let mut reader = Reader::default();
        let mut read = |_| Ok(reader.read(&mut stream)?.map(<[u8]>::to_vec));
        pieces.iter().map(|_| ()).map(&mut read).collect()
    }

    #[test]
    fn a_response_may_be_split_anywhere() {
        for at in 1..RESPONSE.len() {
            let (first, second) = RESPONSE.split_at(at);
            let read = read(&[first, second, RESPONSE]);
            let bodies: Vec<_> = read.into_iter().map(Result::unwrap).collect();
            let left = Some(b"left".to_vec());
            assert_eq!(bodies, [None, left.clone(), left], "split at {at}");
        }
    }

    #[test]
    fn nothing_to_read_is_no_error() {
        assert!(matches!(
            Reader::default().read(&mut Pieces(vec![])),
            Ok(None)
        ));
    }

    #[test]
    fn a_body_may_be_larger_than_the_buffer() {
        let body = vec![b'x'; 100_000];
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let response = [head.as_bytes(), &body].concat();
        let mut stream = response.as_slice();
        let mut reader = Reader::default();
        let read = std::iter::repeat_with(|| reader.read(&mut stream).unwrap().map(<[u8]>::to_vec));
        assert_eq!(read.flatten().next(), Some(body));
    }

    #[test]
    fn what_is_not_exactly_one_ok_is_an_error() {
        let two = [RESPONSE, RESPONSE].concat();
        let garbage = [RESPONSE, b"garbage"].concat();
        let cases: [&[u8]; 6] = [
            &two,
            &garbage,
            b"garbage\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"",
        ];
        for case in cases {
            let read = read(&[case]).remove(0);
            assert!(read.is_err(), "{}", String::from_utf8_lossy(case));
        }
    }
}
