internal import COpenSSL

/// Certificates in their order (STACK_OF(X509)), each kept alive by a reference.
final class CertificateStack {
    let stack: OpaquePointer

    /// - Parameter stack: with a reference to each certificate; both become this value's.
    init(adopting stack: OpaquePointer) {
        self.stack = stack
    }

    /// Refers to a stack that stays its owner's: X509_chain_up_ref(3).
    convenience init?(copying stack: OpaquePointer?) {
        guard let stack, let copy = X509_chain_up_ref(stack) else { return nil }
        self.init(adopting: copy)
    }

    /// - Parameter certificates: the new stack has references of its own.
    convenience init?(of certificates: [OpaquePointer]) {
        guard let stack = connectd_x509_stack_new() else { return nil }
        self.init(adopting: stack)
        for certificate in certificates where connectd_x509_stack_push(stack, certificate) != 1 { return nil }
    }

    deinit { connectd_x509_stack_free(stack) }

    var count: Int { Int(max(0, connectd_certificate_count(stack))) }

    /// Valid as long as the stack; nil outside of it.
    subscript(index: Int) -> OpaquePointer? { connectd_certificate_at(stack, Int32(index)) }
}
