package import CheckModel

/// Where sockets listen already that the process was handed at its start.
package struct InheritedAddresses: Sendable {
    package var listen: [ListenAddress] = []
    package var healthListen: [ListenAddress] = []

    package init() {}
}
