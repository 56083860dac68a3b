internal import CMicrohttpd

/// Makes the library's response objects.
enum LibraryResponse {
    /// A struct MHD_Response, whose reference the caller drops with MHD_destroy_response(3).
    /// - Parameter stream: sends the body if it is a stream; the result keeps a reference to it.
    /// - Returns: nil if there is no memory, or a header has control characters.
    static func make(_ response: Response, mustClose: Bool, stream: BodyStream?) -> OpaquePointer? {
        guard let result = stream.map(make) ?? make(response.body) else { return nil }
        if stream?.hasBody == false { _ = connectd_mhd_end_with_connection(result) }
        for header in response.headers {
            // `withCString` passes the string's own bytes; the implicit conversion would copy them.
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
                // SAFETY: the library copies the bytes in this call, although its parameter is not const.
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .shared(let body):
            let reference = Unmanaged.passRetained(body).toOpaque()
            // SAFETY: the library only reads the memory, which is valid until `releaseBody` drops the reference.
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
    // SAFETY: the reference that `make` took. The library calls this once, when it frees the response.
    Unmanaged<BodyStream>.fromOpaque(reference).release()
}

private func releaseBody(_ reference: UnsafeMutableRawPointer?) {
    guard let reference else { return }
    // SAFETY: the reference that `make` took. The library calls this once, when it frees the response.
    Unmanaged<SharedBody>.fromOpaque(reference).release()
}
