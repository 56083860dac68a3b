import Glibc
public import NetworkTypes

/// Every error that has a name here, in one table: the kernel's and our own.
///
/// It serves `/v1/errors` and the results of checks alike. A number that is not in it is still reported, by
/// `Classifier`, as `unclassified`. All texts are made once, at first use: look-ups allocate nothing.
public enum ErrnoCatalogue {
    /// In a stable order: the kernel's errors by their numbers, then our own.
    public static let entries: [ErrorCatalogueEntry] =
        (manualPageEntries + linuxEntries).sorted { number(of: $0) < number(of: $1) } + ownEntries

    private static func number(of entry: ErrorCatalogueEntry) -> Int32 { entry.errno?.rawValue ?? .max }

    /// The entry of a kernel error, or nil for a number that the table does not have.
    public static func entry(for errno: Errno) -> ErrorCatalogueEntry? {
        let number = Int(errno.rawValue)
        guard indexByNumber.indices.contains(number) else { return nil }
        let index = Int(indexByNumber[number])
        return index < 0 ? nil : entries[index]
    }

    /// The entry with that name or alias, in upper or lower case; nil if there is none.
    public static func entry(named name: some StringProtocol) -> ErrorCatalogueEntry? {
        indexByName[name.uppercased()].map { entries[$0] }
    }

    /// Every entry that a user may mean: by number, outcome (`refused`), name or alias in any case, or message.
    ///
    /// An outcome is also the name of another entry in one case: `refused` is ECONNREFUSED first, then REFUSED of DNS.
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

    /// The position in `entries` of the entry with exactly that name; nil if there is none.
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

    /// What strerror(3) says about a number; it never fails, and knows "Unknown error 523" for the rest.
    public static func message(of errno: Errno) -> String { message(of: errno.rawValue) }

    static func message(of number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "Unknown error \(number)"
    }
}

/// One row of the errno catalogue: an error that a check may end with, and what to make of it.
///
/// Class, fault and `retryable` are those of the usual case; `Classifier` judges the case at hand.
public struct ErrorCatalogueEntry: Hashable, Sendable {
    /// The kernel's number; nil for a name of our own.
    public let errno: Errno?
    /// `ECONNREFUSED`, or a name of our own: `DEADLINE`, `NXDOMAIN`.
    public let name: String
    /// Further names of the same number: `EWOULDBLOCK` for EAGAIN.
    public let aliases: [String]
    public let errorClass: ErrorClass
    public let fault: Fault
    public let source: ErrorSource
    /// Whether the same request may succeed later without anybody changing anything.
    public let retryable: Bool
    /// strerror(3) for the kernel's errors, one short line for our own.
    public let message: String
    /// When connect(2), or a step around it, ends like this.
    public let when: String
    /// Where Linux differs from the manual page or adds to it; nil where it does neither.
    public let linux: String?
    /// What to do about it: one sentence for whoever is on call, under 200 characters.
    public let hint: String
    /// Whether the manual page of connect(2) names it.
    public let inManualPage: Bool

    /// The error as a result shows it in the usual case.
    public var report: ErrorReport {
        ErrorReport(
            errno: errno, name: name, errorClass: errorClass, fault: fault, source: source, message: message,
            hint: hint, retryable: retryable)
    }
}

/// The names of Linux's other error numbers, for errors that the table does not explain.
///
/// strerrorname_np(3) has them too, but Swift's Glibc does not show it.
extension ErrnoCatalogue {
    /// The name of any error number: `ENOSPC`, or `ERRNO_523` for a number that has none.
    public static func name(of errno: Errno) -> String {
        entry(for: errno)?.name ?? otherNames[errno.rawValue] ?? "ERRNO_\(errno.rawValue)"
    }

    /// The entry of any error number: one made on the spot where the table has none.
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
