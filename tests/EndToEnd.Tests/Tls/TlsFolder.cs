// Where do the certificate files of a test lie, and with which options are they named?
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Tls;

/// <summary>An authority, and the files of it that programs are given.</summary>
internal sealed class TlsFolder : IDisposable
{
    private readonly PrivateFolder _folder = new("tls");

    public TestAuthority Authority { get; } = new();

    /// <summary>The authority's certificate.</summary>
    public string Ca => _folder.Write("ca.pem", Authority.Pem);

    /// <summary>Writes certificate and key, over those of the same name.</summary>
    public (string Certificate, string Key) Write(string name, TestCertificate certificate)
        => (_folder.Write($"{name}-cert.pem", certificate.CertificatePem), _folder.Write($"{name}-key.pem", certificate.KeyPem));

    /// <summary>--tls-cert and --tls-key, with a good certificate for localhost and 127.0.0.1.</summary>
    public string[] ListenOptions(TestCertificate? certificate = null)
    {
        var (cert, key) = Write("listen", certificate ?? Authority.Issue("localhost", "127.0.0.1"));
        return ["--tls-cert", cert, "--tls-key", key];
    }

    /// <summary>A Redis with a TLS port beside its plain one.</summary>
    public Task<RedisServer> StartRedisAsync(int tlsPort, string authClients = "no", TestCertificate? certificate = null)
    {
        var (cert, key) = Write("redis", certificate ?? Authority.Issue("localhost", "127.0.0.1"));
        return RedisServer.StartAsync($"tls-port {tlsPort}", $"tls-cert-file {cert}", $"tls-key-file {key}", $"tls-ca-cert-file {Ca}", $"tls-auth-clients {authClients}");
    }

    /// <summary>Lines of each node of a replication or a cluster that speaks TLS with its own kind; the ports are given apart.</summary>
    public string[] NodeLines(TestCertificate? certificate = null)
    {
        var (cert, key) = Write("node", certificate ?? Authority.Issue("localhost", "127.0.0.1"));
        return [$"tls-cert-file {cert}", $"tls-key-file {key}", $"tls-ca-cert-file {Ca}", "tls-auth-clients no"];
    }

    /// <summary>A RabbitMQ with a TLS port beside its plain one.</summary>
    public Task<RabbitServer> StartRabbitAsync(int tlsPort, bool asksForCertificate, TestCertificate? certificate = null)
    {
        var (cert, key) = Write("rabbit", certificate ?? Authority.Issue("localhost", "127.0.0.1"));
        return RabbitServer.StartAsync(
            $"listeners.ssl.default = 127.0.0.1:{tlsPort}", $"ssl_options.cacertfile = {Ca}", $"ssl_options.certfile = {cert}", $"ssl_options.keyfile = {key}",
            $"ssl_options.verify = {(asksForCertificate ? "verify_peer" : "verify_none")}", $"ssl_options.fail_if_no_peer_cert = {(asksForCertificate ? "true" : "false")}");
    }

    public void Dispose()
    {
        Authority.Dispose();
        _folder.Dispose();
    }
}
