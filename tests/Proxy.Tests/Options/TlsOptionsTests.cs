using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Is every combination of TLS options that would not do what it seems to do a fault at start?</summary>
public sealed class TlsOptionsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-tls-");
    private readonly TestAuthority _authority = new();
    private readonly string _ca, _cert, _key, _otherKey;

    public TlsOptionsTests()
    {
        var certificate = _authority.Issue("localhost");
        (_ca, _cert, _key, _otherKey) = (Write("ca", _authority.Pem), Write("cert", certificate.CertificatePem), Write("key", certificate.KeyPem), Write("other", _authority.Issue("x").KeyPem));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Plain_and_TLS_addresses_stand_side_by_side()
    {
        var options = Load("--listen", "127.0.0.1:1", "--listen", "rediss://[::1]:2", "--tls-cert", _cert, "--tls-key", _key, "--tls-ca", _ca, "--tls-auth-clients", "optional");
        Assert.Equal([TransportAddress.Tcp("127.0.0.1", 1), TransportAddress.Tls("::1", 2)], options.Server.Listen);
        Assert.Equal("rediss://[::1]:2", options.Server.Listen[1].ToString());
        Assert.Equal(ClientCertificates.Optional, options.Tls.Clients);
    }

    [Fact]
    public void A_port_is_taken_once_with_or_without_TLS()
        => Assert.Equal(["--listen names 127.0.0.1:1 twice"], Faults("--listen", "127.0.0.1:1", "--listen", "rediss://127.0.0.1:1", "--tls-cert", _cert, "--tls-key", _key));

    [Fact]
    public void The_proxy_does_not_connect_to_itself_with_TLS_either()
        => Assert.Contains("the proxy would connect to itself", Assert.Single(Faults("--listen", "127.0.0.1:6379", "--upstream", "rediss://127.0.0.1:6379")), StringComparison.Ordinal);

    [Fact]
    public void Uris_with_TLS_are_understood()
    {
        var options = Load("--upstream", "rediss://redis.example", "--upstream-ca", _ca, "--amqp", "amqps://rabbit.example", "--amqp-cert", _cert, "--amqp-key", _key);
        Assert.Equal(TransportAddress.Tls("redis.example", 6379), TransportAddress.Of(options.Forwarder.Upstream.Seeds[0]));
        Assert.True(options.Forwarder.Initial.Amqp is { Tls: true, Port: 5671 });
    }

    [Fact]
    public void TLS_without_a_certificate_is_a_fault()
    {
        Assert.Equal(["--listen rediss:// needs --tls-cert and --tls-key"], Faults("--listen", "rediss://127.0.0.1:1"));
        Assert.Equal(["--listen rediss:// needs --tls-cert and --tls-key"], Faults("--listen", "rediss://127.0.0.1:1", "--tls-cert", _cert));
    }

    [Fact]
    public void A_file_that_would_not_be_used_is_a_fault()
    {
        Assert.Equal(["--tls-cert, --tls-key, --tls-ca and --tls-auth-clients need an address with TLS: --listen rediss://host:port"], Faults("--tls-cert", _cert, "--tls-key", _key));
        Assert.Equal(["--upstream-ca, --upstream-cert and --upstream-key need --upstream rediss://"], Faults("--upstream-ca", _ca));
        Assert.Equal(["--amqp-ca, --amqp-cert and --amqp-key need --amqp amqps://"], Faults("--amqp-ca", _ca));
    }

    [Fact]
    public void Asking_clients_needs_somebody_to_judge_by()
        => Assert.Equal(["--tls-auth-clients yes needs --tls-ca: whom would a certificate be judged by?"], Faults("--listen", "rediss://127.0.0.1:1", "--tls-cert", _cert, "--tls-key", _key, "--tls-auth-clients", "yes"));

    [Fact]
    public void Certificate_and_key_go_together()
        => Assert.Equal(["--upstream-cert and --upstream-key go together: one of them is missing"], Faults("--upstream", "rediss://h", "--upstream-key", _key));

    [Fact]
    public void Files_that_cannot_be_used_are_named_with_what_is_wrong()
    {
        Assert.Equal(["--upstream-ca names the file '/nowhere', which cannot be read: there is no such file"], Faults("--upstream", "rediss://h", "--upstream-ca", "/nowhere"));
        Assert.Equal([$"--amqp-ca names the file '{_key}', which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"], Faults("--amqp", "amqps://h", "--amqp-ca", _key));
        Assert.Equal([$"--upstream-key names the file '{_otherKey}', which is not the private key (PEM) of the first certificate in '{_cert}'"], Faults("--upstream", "rediss://h", "--upstream-cert", _cert, "--upstream-key", _otherKey));
        var encrypted = Write("encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        Assert.StartsWith($"--upstream-key names the file '{encrypted}', whose key is encrypted", Assert.Single(Faults("--upstream", "rediss://h", "--upstream-cert", _cert, "--upstream-key", encrypted)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("77")]
    [InlineData("778")]
    [InlineData("rwx")]
    [InlineData("1777")]
    public void Permissions_are_octal(string mode)
        => Assert.Equal([$"--unix-socket-permissions must be three octal digits such as 770, not '{mode}'"], Faults("--unix-socket-permissions", mode));

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name + ".pem");
        File.WriteAllText(path, text);
        return path;
    }

    private static ProxyOptions Load(params string[] args)
    {
        var faults = new List<string>();
        var options = OptionPrecedence.Load(new CommandLineSource().Read(args, faults, out _, out _), [], faults);
        Assert.Empty(faults);
        return options;
    }

    private static List<string> Faults(params string[] args)
    {
        var faults = new List<string>();
        OptionPrecedence.Load(new CommandLineSource().Read(args, faults, out _, out _), [], faults);
        return faults;
    }
}
