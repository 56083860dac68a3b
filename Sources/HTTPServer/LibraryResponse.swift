internal import CMicrohttpd

/// Answers as the library wants them.
enum LibraryResponse {
    /// A struct MHD_Response; the caller gives its reference back by MHD_destroy_response(3). nil without memory, or where a
    /// header has control bytes.
    /// - Parameter stream: what sends the body where it is a stream; the result keeps a reference to it.
    static func make(_ response: Response, mustClose: Bool, stream: BodyStream?) -> OpaquePointer? {
        guard let result = stream.map(make) ?? make(response.body) else { return nil }
        if stream?.hasBody == false { _ = connectd_mhd_end_with_connection(result) }
        for header in response.headers {
            // `withCString` passes a string's own bytes where the implicit conversion would copy them.
            let isTaken = header.name.withCString { name in
                header.value.withCString { MHD_add_response_header(result, name, $0) == .YES }
            }
            guard isTaken else {
                MHD_destroy_response(result)
                return nil
            }
        }
        if mustClose { MHD_add_response_header(result, "Connection", "close") }
        return result
    }

    private static func make(_ body: Response.Body) -> OpaquePointer? {
        switch body {
        case .bytes(let bytes):
            return bytes.withUnsafeBytes {
                // SAFETY: the library copies the bytes in this call; that its parameter is not const is its history.
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .shared(let body):
            let reference = Unmanaged.passRetained(body).toOpaque()
            // SAFETY: the library only reads the memory, which lives as long as the reference that it gives back at its end.
            let result = MHD_create_response_from_buffer_with_free_callback_cls(
                body.count, UnsafeMutableRawPointer(mutating: body.bytes.baseAddress), releaseBody, reference)
            if result == nil { releaseBody(reference) }
            return result
        case .stream: return nil
        }
    }

    /// The library calls `onStream` whenever it could send more of the body. It never gets any: `BodyStream` says why.
    private static func make(_ stream: BodyStream) -> OpaquePointer? {
        let reference = Unmanaged.passRetained(stream).toOpaque()
        let result = MHD_create_response_from_callback(
            connectd_mhd_size_unknown, 1, onStream, reference, releaseStream)
        if result == nil { releaseStream(reference) }
        return result
    }
}

private func releaseStream(_ reference: UnsafeMutableRawPointer?) {
    guard let reference else { return }
    // SAFETY: the reference that `make` took; the library calls this once, when the response has ended.
    Unmanaged<BodyStream>.fromOpaque(reference).release()
}

private func releaseBody(_ reference: UnsafeMutableRawPointer?) {
    guard let reference else { return }
    // SAFETY: the reference that `make` took; the library calls this once, when the last answer with it is sent.
    Unmanaged<SharedBody>.fromOpaque(reference).release()
}
