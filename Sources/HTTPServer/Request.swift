/// A request with its whole body.
package struct Request: Sendable {
    package let head: RequestHead
    /// At most the number of bytes that the handler admitted.
    package let body: [UInt8]
}
