"""Certificates for an HTTPS listener and its clients, clients that speak TLS, and a reload."""

import datetime
import pathlib
import ssl
import subprocess

PORT, HEALTH = 8241, 8242


def certify(
    folder, name: str, issuer: str | None = None, *, days: int = 90, subject: str | None = None,
    extensions: tuple[str, ...] = (), names: str | None = None, starts: int = -1, is_authority: bool | None = None,
) -> None:
    """Makes a key and a certificate, self-signed or signed by another one, valid from `starts` to `days` days from now."""
    folder = pathlib.Path(folder)
    names = names or f"subjectAltName=IP:127.0.0.1,DNS:{name}.example"
    authority = issuer is None if is_authority is None else is_authority
    now = datetime.datetime.now(datetime.UTC)
    begin, end = ((now + datetime.timedelta(days=count)).strftime("%Y%m%d%H%M%SZ") for count in (starts, days))
    subprocess.run(
        ["openssl", "req", "-new", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", subject or f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr"],
        check=True, capture_output=True,
    )
    kind = [f"basicConstraints=critical,CA:{'TRUE' if authority else 'FALSE'}"]
    (folder / f"{name}.ext").write_text("\n".join([names, *kind, *extensions]) + "\n")
    (folder / f"{name}.index").write_text("")
    (folder / f"{name}.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/{name}.index\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=optional\norganizationName=optional\n"
    )
    signer = issuer or name
    own = ["-selfsign"] if issuer is None else ["-cert", f"{folder}/{signer}.pem"]
    subprocess.run(
        ["openssl", "ca", "-batch", "-config", f"{folder}/{name}.cnf", *own, "-keyfile", f"{folder}/{signer}.key",
         "-in", f"{folder}/{name}.csr", "-out", f"{folder}/{name}.pem", "-startdate", begin, "-enddate", end,
         "-extfile", f"{folder}/{name}.ext", "-notext", "-utf8", "-preserveDN"],
        check=True, capture_output=True, text=True,
    )


def https(certificates, name: str = "server", mutual: bool = False) -> dict:
    keys = {"certificate": f"{certificates}/{name}.pem", "key": f"{certificates}/{name}.key"}
    return {**keys, "client_authorities": f"{certificates}/ca.pem"} if mutual else keys


def connector(
    namespace, certificates, name: str = "server", client: str | None = None, source: str | None = None, *,
    port: int = PORT, **settings
):
    """Returns a function that opens TLS connections; `settings` are attributes of the SSLContext."""
    context = ssl.create_default_context(cafile=f"{certificates}/{name}.pem")
    if client:
        context.load_cert_chain(f"{certificates}/{client}.pem", f"{certificates}/{client}.key")
    for key, value in settings.items():
        setattr(context, key, value)

    def connect():
        plain = namespace.socket()
        plain.settimeout(15)
        if source:
            plain.bind((source, 0))
        plain.connect(("127.0.0.1", port))
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    return connect
