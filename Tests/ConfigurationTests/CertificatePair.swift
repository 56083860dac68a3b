/// A P-256 certificate and its key, created for these tests.
struct CertificatePair {
    let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBeDCCAR2gAwIBAgIUc/iXChZH0emP2DwN52vnN00/9sQwCgYIKoZIzj0EAwIw
        EDEOMAwGA1UEAwwFcHJvYmUwIBcNMjYxMTI1MjIxOTE2WhgPMjEyNjExMDEyMjE5
        MTZaMBAxDjAMBgNVBAMMBXByb2JlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
        BsKKZ2zTWh8MXwJGfBhWwUekDzIfKy7zqGJkk1QxfqITUEzSS5EUfyWEIXUYFvzG
        +9/K4zIEuvXGBdPFUZnzcqNTMFEwHQYDVR0OBBYEFF6riJUYrVu00BbcfgQmiM7d
        mmW4MB8GA1UdIwQYMBaAFF6riJUYrVu00BbcfgQmiM7dmmW4MA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAOQ5hiocy3MfpYTjeMCDbqJEC5IIoQRR
        ajtW16KywWK/AiEAwggzDISKFLSUmk/VYM4zVH2W8E3olEnqkdzb4JxEtjQ=
        -----END CERTIFICATE-----
        """
    let key = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIL9RFO3E56pWMn4c9g1Kybql1UsgcDQkqUxVLtb/lMOCoAoGCCqGSM49
        AwEHoUQDQgAEBsKKZ2zTWh8MXwJGfBhWwUekDzIfKy7zqGJkk1QxfqITUEzSS5EU
        fyWEIXUYFvzG+9/K4zIEuvXGBdPFUZnzcg==
        -----END EC PRIVATE KEY-----
        """
    /// A key that does not match the certificate.
    let otherKey = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIGGVL4xcjJ1lXKzMs6v0ERn0q28BK9pi7uAchsvZAdFroAoGCCqGSM49
        AwEHoUQDQgAEry/G1NZ4yqZVuECaU8ybqEdR5wSTzdp30edYu6k6bnF1oLWB5tZv
        zFk3tK/bqAJZVTS+qXm+e8E9uvxhxmJmdA==
        -----END EC PRIVATE KEY-----
        """
}
