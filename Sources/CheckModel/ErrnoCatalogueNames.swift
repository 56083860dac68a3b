internal import Glibc

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
            when: "The kernel gave an error that this table does not explain.",
            linux: nil,
            hint: """
                connect(2) is not known to give this error: a security module, a BPF program or a driver on the prober may \
                be behind it; `strace -f -e trace=network` shows the call.
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
