using KeyEvt.Forwarder.Tls;
using KeyEvt.Servers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Tls;

/// <summary>Which certificates are taken over when files are read again, and which are kept out?</summary>
public sealed class ReloadableTlsTests : IDisposable
{
    private readonly PrivateFolder _folder = new("tls-source");
    private readonly TestAuthority _authority = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly ReloadableTls _source;
    private readonly TlsMaterial _first;

    public ReloadableTlsTests()
    {
        Write(_authority.Issue("first"));
        _source = new ReloadableTls(new TlsFileNames("--tls") { Certificate = _folder.File("cert.pem"), Key = _folder.File("key.pem") }, _time);
        _first = _source.Current;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_good_one_is_taken()
    {
        Write(_authority.Issue("second"));
        _source.Reload();
        Assert.Equal("CN=second", _source.Current.Own!.TargetCertificate.Subject);
    }

    [Fact]
    public void One_that_has_expired_is_kept_out()
    {
        Write(_authority.IssueExpired("second"));
        Assert.StartsWith($"--tls-cert names the file '{_folder.File("cert.pem")}', whose certificate expired on ", KeptOut(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_is_not_valid_yet_is_kept_out_until_it_is()
    {
        Write(_authority.IssueForLater("second"));
        Assert.StartsWith($"--tls-cert names the file '{_folder.File("cert.pem")}', whose certificate is not valid before ", KeptOut(), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromDays(2));
        _source.Reload();
        Assert.NotSame(_first, _source.Current);
    }

    [Fact]
    public void A_key_that_does_not_belong_to_it_is_kept_out()
    {
        Write(_authority.Issue("second") with { KeyPem = _authority.Issue("third").KeyPem });
        Assert.Contains("is not the private key (PEM) of the first certificate", KeptOut(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_expires_while_it_is_in_use_is_told_from_one_that_has_not()
    {
        Assert.Null(_source.Current.OwnFault(_time.GetUtcNow()));
        _time.Advance(TimeSpan.FromDays(31));
        Assert.Contains("whose certificate expired on ", _source.Current.OwnFault(_time.GetUtcNow()), StringComparison.Ordinal);
    }

    private string KeptOut()
    {
        var fault = Assert.Throws<TlsFileException>(_source.Reload).Message;
        Assert.Same(_first, _source.Current);
        return fault;
    }

    private void Write(TestCertificate certificate)
    {
        _folder.Write("cert.pem", certificate.CertificatePem);
        _folder.Write("key.pem", certificate.KeyPem);
    }
}
