/* Preloaded into a server: OpenSSL claims to be of another major version. */
unsigned int OPENSSL_version_major(void);
unsigned int OPENSSL_version_major(void) { return 4; }
