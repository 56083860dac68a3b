internal import CPCRE2

/// A compiled regular expression over bytes: PCRE2, without UTF.
///
/// `.` matches any byte but CR and LF, `^` and `$` match at the ends of lines. Matching is interpreted: the just-in-time
/// compiler needs memory that is writable and executable, and keeps no limit of depth.
final class Pattern: Sendable {
    // SAFETY: pcre2_code is not written to between pcre2_compile and pcre2_code_free (pcre2api(3), "Multithreading"), so
    // threads may share it; it is freed by `deinit` alone, when nobody holds the pattern any more.
    nonisolated(unsafe) let code: OpaquePointer
    // SAFETY: as for `code`.
    /// The same pattern, in which `^`, `\A` and `\G` also match at the start offset of a search; nil: it has none of them.
    nonisolated(unsafe) let codeAfterMatch: OpaquePointer?
    let groups: PatternGroups
    var namedGroups: [(name: String, number: Int)] { groups.names }
    var groupCount: Int { groups.count }

    /// PCRE2_AUTO_CALLOUT has every item of the pattern ask the budget: `match limit` is counted anew at each start, and
    /// does not count the bytes that a repeated item passes over.
    private static let options =
        PCRE2_MULTILINE | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C
        | PCRE2_AUTO_CALLOUT

    init(_ text: String) throws(Flaw) {
        let original = Array(text.utf8)
        let compiled = try Self.compile(original)
        let anchors = PatternAnchors(original)
        codeAfterMatch = Self.recompile(anchors.afterMatch, as: compiled)
        if let rewritten = Self.recompile(anchors.atStart, as: compiled) {
            pcre2_code_free_8(compiled)
            code = rewritten
        } else {
            code = compiled
        }
        groups = PatternGroups(
            count: Int(Self.information(UInt32(PCRE2_INFO_CAPTURECOUNT), of: code)), names: Self.names(of: code))
        let lookbehind = Self.information(UInt32(PCRE2_INFO_MAXLOOKBEHIND), of: code)
        // Everything is set, so that `deinit` frees the code.
        guard lookbehind <= DialogLimits.contextBytes else {
            throw Flaw("looks back \(lookbehind) bytes, at most \(DialogLimits.contextBytes) are kept")
        }
    }

    deinit {
        pcre2_code_free_8(code)
        pcre2_code_free_8(codeAfterMatch)
    }

    /// - Returns: a pcre2_code, which is the caller's.
    private static func compile(_ text: [UInt8]) throws(Flaw) -> OpaquePointer {
        guard let context = pcre2_compile_context_create_8(nil) else { throw Flaw("finds no memory") }
        defer { pcre2_compile_context_free_8(context) }
        pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_ANYCRLF))
        pcre2_set_bsr_8(context, UInt32(PCRE2_BSR_ANYCRLF))
        var error: Int32 = 0
        var offset = 0
        // The zero behind the end is not part of the pattern: it gives an empty one an address, which PCRE2 asks for.
        let terminated = text + [0]
        let compiled = pcre2_compile_8(
            terminated, terminated.count - 1, options, &error, &offset, context)
        guard let compiled else { throw Flaw("is no pattern, at byte \(offset): \(message(of: error))") }
        return compiled
    }

    /// Compiles a rewritten pattern. Our reading of the syntax may miss something that PCRE2 knows: a rewritten pattern that
    /// does not compile, or that has other groups, is not used.
    private static func recompile(
        _ text: [UInt8]?, as original: OpaquePointer
    ) -> OpaquePointer? {
        guard let text, let compiled = try? compile(text) else { return nil }
        let count = UInt32(PCRE2_INFO_CAPTURECOUNT)
        guard information(count, of: compiled) == information(count, of: original) else {
            pcre2_code_free_8(compiled)
            return nil
        }
        return compiled
    }

    static func message(of error: Int32) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            count = max(Int(pcre2_get_error_message_8(error, buffer.baseAddress, buffer.count)), 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func information(_ what: UInt32, of code: OpaquePointer) -> UInt32 {
        var value: UInt32 = 0
        pcre2_pattern_info_8(code, what, &value)
        return value
    }

    /// The name table: entries of one size, each two bytes of number, then the name and a zero.
    private static func names(of code: OpaquePointer) -> [(name: String, number: Int)] {
        let count = Int(information(UInt32(PCRE2_INFO_NAMECOUNT), of: code))
        let size = Int(information(UInt32(PCRE2_INFO_NAMEENTRYSIZE), of: code))
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table else { return [] }
        let entries = (0..<count).map { index in
            let entry = UnsafeBufferPointer(start: table + index * size, count: size)
            let name = String(decoding: entry.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
            return (name: name, number: Int(entry[0]) << 8 | Int(entry[1]))
        }
        return entries.sorted { $0.number < $1.number }
    }
}
