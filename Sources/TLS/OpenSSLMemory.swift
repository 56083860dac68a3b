internal import COpenSSL
internal import Glibc
internal import Synchronization

/// Counts the allocations of OpenSSL that fail.
///
/// Many of its functions report a failed allocation as something else, such as a bad signature. Without the count, a lack
/// of memory here would be reported as the target's failure.
public enum OpenSSLMemory {
    private static let failures = Atomic<Int>(0)

    /// How many allocations have failed, on all threads.
    static var failureCount: Int { failures.load(ordering: .relaxed) }

    /// Begins to count: CRYPTO_set_mem_functions(3). Call it before any other function of OpenSSL; later it has no effect.
    public static func watch() {
        _ = CRYPTO_set_mem_functions(
            { size, _, _ in
                guard size > 0 else { return nil }
                return OpenSSLMemory.noted(malloc(size))
            },
            { block, size, _, _ in
                guard size > 0 else {
                    free(block)
                    return nil
                }
                return OpenSSLMemory.noted(realloc(block, size))
            },
            { block, _, _ in free(block) })
    }

    private static func noted(_ block: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if block == nil { failures.add(1, ordering: .relaxed) }
        return block
    }
}
