import CLinux

/// The processors that this process may use.
enum Processors {
    static var available: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }
}
