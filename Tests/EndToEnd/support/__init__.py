"""What the end-to-end tests share: connectd as a process, networks, peers, certificates and expectations."""
