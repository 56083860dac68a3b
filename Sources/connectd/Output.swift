import Glibc

/// What the program prints: whole pieces at once, by write(2), so that lines of several threads never mix.
enum Output {
    static func line(_ text: String) {
        write(Array(text.utf8) + [0x0A], to: STDOUT_FILENO)
    }

    static func errorLine(_ text: String) {
        write(Array(text.utf8) + [0x0A], to: STDERR_FILENO)
    }

    static func bytes(_ bytes: [UInt8]) {
        write(bytes, to: STDOUT_FILENO)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // Nobody is left to tell that the output is gone.
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// exit(3); a command has a method of the same name.
func endProcess(_ code: Int32) -> Never {
    exit(code)
}
