internal import Glibc
public import NetworkTypes

/// The table of all named errors: the kernel's, and those that connectd names itself.
///
/// `/v1/errors` and check results use it. `Classifier` reports a number that is not in it as `unclassified`. All texts
/// are made once, at first use, so lookups do not allocate.
public enum ErrnoCatalogue {
    /// All entries in a stable order: the kernel's errors by number, then connectd's own.
    public static let entries: [ErrorCatalogueEntry] =
        (manualPageEntries + linuxEntries).sorted { number(of: $0) < number(of: $1) } + ownEntries

    private static func number(of entry: ErrorCatalogueEntry) -> Int32 { entry.errno?.rawValue ?? .max }

    /// Returns the entry of a kernel error; nil for a number that is not in the table.
    public static func entry(for errno: Errno) -> ErrorCatalogueEntry? {
        let number = Int(errno.rawValue)
        guard indexByNumber.indices.contains(number) else { return nil }
        let index = Int(indexByNumber[number])
        return index < 0 ? nil : entries[index]
    }

    /// Returns the entry with that name or alias, in any case; nil if there is none.
    public static func entry(named name: some StringProtocol) -> ErrorCatalogueEntry? {
        indexByName[name.uppercased()].map { entries[$0] }
    }

    /// Returns every entry that a user may mean: by number, outcome (`refused`), name or alias in any case, or message.
    ///
    /// One word is both an outcome and a name: `refused` returns ECONNREFUSED first, then REFUSED of DNS.
    public static func entries(matching text: String) -> [ErrorCatalogueEntry] {
        if let number = Int32(text) { return [entry(for: Errno(number))].compactMap { $0 } }
        let isExactName = entry(named: text).map { $0.name == text || $0.aliases.contains(text) } ?? false
        let ofClass = entries.filter { $0.errorClass.rawValue == text.lowercased() }
        let named = [entry(named: text)].compactMap { $0 }
        let matches = isExactName ? named + ofClass : ofClass + named
        if matches.isEmpty { return entries.filter { $0.message.lowercased() == text.lowercased() } }
        var names: Set<String> = []
        return matches.filter { names.insert($0.name).inserted }
    }

    /// Returns the position in `entries` of the entry with exactly that name; nil if there is none.
    public static func index(named name: String) -> Int? {
        indexByName[name]
    }

    /// Position in `entries` by errno(3); -1 for a number without an entry.
    private static let indexByNumber: [Int16] = {
        let numbers = entries.compactMap { $0.errno.map { Int($0.rawValue) } }
        var indices = [Int16](repeating: -1, count: (numbers.max() ?? 0) + 1)
        for (index, entry) in entries.enumerated() {
            if let errno = entry.errno { indices[Int(errno.rawValue)] = Int16(index) }
        }
        return indices
    }()

    private static let indexByName: [String: Int] = {
        var indices: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            for name in [entry.name] + entry.aliases { indices[name] = index }
        }
        return indices
    }()

    /// Returns the text of strerror(3), such as "Unknown error 523" for an unknown number.
    public static func message(of errno: Errno) -> String { message(of: errno.rawValue) }

    static func message(of number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "Unknown error \(number)"
    }
}

/// One entry of the error catalogue: an error that can end a check, its meaning and a hint.
///
/// Class, fault, `retryable` and hint apply to the usual case; `Classifier` adapts them to the actual case.
public struct ErrorCatalogueEntry: Hashable, Sendable {
    /// The kernel's number; nil for an error that connectd names itself.
    public let errno: Errno?
    /// `ECONNREFUSED`, or one of connectd's own names: `DEADLINE`, `NXDOMAIN`.
    public let name: String
    /// Other names of the same number: `EWOULDBLOCK` for EAGAIN.
    public let aliases: [String]
    public let errorClass: ErrorClass
    public let fault: Fault
    public let source: ErrorSource
    /// Whether the same request may succeed later without any change.
    public let retryable: Bool
    /// The text of strerror(3) for a kernel error, or one short line.
    public let message: String
    /// When connect(2), or a step before or after it, gives this error.
    public let when: String
    /// How Linux differs from the manual page or adds to it; nil if it does neither.
    public let linux: String?
    /// What to do about the error: one sentence under 200 characters that begins with an imperative.
    public let hint: String
    /// Whether the manual page of connect(2) lists the error.
    public let inManualPage: Bool

    /// The report of the error in the usual case.
    public var report: ErrorReport {
        ErrorReport(
            errno: errno, name: name, errorClass: errorClass, fault: fault, source: source, message: message,
            hint: hint, retryable: retryable)
    }
}

/// Names and entries for error numbers that are not in the table.
///
/// strerrorname_np(3) has the names too, but Swift's Glibc module does not export it.
extension ErrnoCatalogue {
    /// Returns the name of any error number: `ENOSPC`, or `ERRNO_523` for a number without a name.
    public static func name(of errno: Errno) -> String {
        entry(for: errno)?.name ?? otherNames[errno.rawValue] ?? "ERRNO_\(errno.rawValue)"
    }

    /// Returns the entry of any error number; makes one if the table has none.
    public static func entryOrUnknown(for errno: Errno) -> ErrorCatalogueEntry {
        if let entry = entry(for: errno) { return entry }
        return kernel(
            errno.rawValue, name(of: errno), .unclassified, fault: .prober, retryable: false, inManualPage: false,
            when: "The kernel returned an error that this table does not explain.",
            linux: nil,
            hint: """
                Trace the call with `strace -f -e trace=network`: connect(2) is not known to return this error; a \
                security module, BPF program or driver may cause it.
                """)
    }

    private static let otherNames: [Int32: String] = Dictionary(uniqueKeysWithValues: otherNamesByNumber)

    private static let otherNamesByNumber: [(Int32, String)] = [
        (ESRCH, "ESRCH"), (ENXIO, "ENXIO"), (E2BIG, "E2BIG"), (ENOEXEC, "ENOEXEC"), (ECHILD, "ECHILD"),
        (ENOTBLK, "ENOTBLK"), (EBUSY, "EBUSY"), (EEXIST, "EEXIST"), (EXDEV, "EXDEV"), (EISDIR, "EISDIR"),
        (ENOTTY, "ENOTTY"), (ETXTBSY, "ETXTBSY"), (EFBIG, "EFBIG"), (ENOSPC, "ENOSPC"), (ESPIPE, "ESPIPE"),
        (EROFS, "EROFS"), (EMLINK, "EMLINK"), (EDOM, "EDOM"), (ERANGE, "ERANGE"), (EDEADLK, "EDEADLK"),
        (ENOLCK, "ENOLCK"), (ENOSYS, "ENOSYS"), (ENOTEMPTY, "ENOTEMPTY"), (ENOMSG, "ENOMSG"), (EIDRM, "EIDRM"),
        (ECHRNG, "ECHRNG"), (EL2NSYNC, "EL2NSYNC"), (EL3HLT, "EL3HLT"), (EL3RST, "EL3RST"), (ELNRNG, "ELNRNG"),
        (EUNATCH, "EUNATCH"), (ENOCSI, "ENOCSI"), (EL2HLT, "EL2HLT"), (EBADE, "EBADE"), (EBADR, "EBADR"),
        (EXFULL, "EXFULL"), (ENOANO, "ENOANO"), (EBADRQC, "EBADRQC"), (EBADSLT, "EBADSLT"), (EBFONT, "EBFONT"),
        (ENOSTR, "ENOSTR"), (ENODATA, "ENODATA"), (ETIME, "ETIME"), (ENOSR, "ENOSR"), (ENOPKG, "ENOPKG"),
        (EREMOTE, "EREMOTE"), (ENOLINK, "ENOLINK"), (EADV, "EADV"), (ESRMNT, "ESRMNT"), (ECOMM, "ECOMM"),
        (EMULTIHOP, "EMULTIHOP"), (EDOTDOT, "EDOTDOT"), (EBADMSG, "EBADMSG"), (EOVERFLOW, "EOVERFLOW"),
        (ENOTUNIQ, "ENOTUNIQ"), (EBADFD, "EBADFD"), (EREMCHG, "EREMCHG"), (ELIBACC, "ELIBACC"), (ELIBBAD, "ELIBBAD"),
        (ELIBSCN, "ELIBSCN"), (ELIBMAX, "ELIBMAX"), (ELIBEXEC, "ELIBEXEC"), (EILSEQ, "EILSEQ"), (ERESTART, "ERESTART"),
        (ESTRPIPE, "ESTRPIPE"), (EUSERS, "EUSERS"), (EDESTADDRREQ, "EDESTADDRREQ"), (EPFNOSUPPORT, "EPFNOSUPPORT"),
        (ENETRESET, "ENETRESET"), (ENOTCONN, "ENOTCONN"), (ESHUTDOWN, "ESHUTDOWN"), (ETOOMANYREFS, "ETOOMANYREFS"),
        (ESTALE, "ESTALE"), (EUCLEAN, "EUCLEAN"), (ENOTNAM, "ENOTNAM"), (ENAVAIL, "ENAVAIL"), (EISNAM, "EISNAM"),
        (EREMOTEIO, "EREMOTEIO"), (EDQUOT, "EDQUOT"), (ENOMEDIUM, "ENOMEDIUM"), (EMEDIUMTYPE, "EMEDIUMTYPE"),
        (ECANCELED, "ECANCELED"), (ENOKEY, "ENOKEY"), (EKEYEXPIRED, "EKEYEXPIRED"), (EKEYREVOKED, "EKEYREVOKED"),
        (EKEYREJECTED, "EKEYREJECTED"), (EOWNERDEAD, "EOWNERDEAD"), (ENOTRECOVERABLE, "ENOTRECOVERABLE"),
        (ERFKILL, "ERFKILL"), (EHWPOISON, "EHWPOISON"),
    ]
}
