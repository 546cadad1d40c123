using KeyEvt.Proxy.Options;
using KeyEvt.Servers;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>Files to stand in for those that a documented command line names: a password, and a certificate with its key.</summary>
internal sealed class NamedFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-docs-");
    private readonly string _secret;
    private readonly string _pem;

    public NamedFiles()
    {
        using var authority = new TestAuthority();
        var certificate = authority.Issue("keyevt.example");
        _secret = Write("secret", "secret");
        _pem = Write("pem", certificate.CertificatePem + "\n" + certificate.KeyPem);
    }

    /// <param name="optionOrVariable">As <c>--tls-cert</c> or <c>KEYEVT_TLS_CERT</c>.</param>
    /// <returns>The value as it is, unless this option names a file.</returns>
    public string InPlaceOf(string optionOrVariable, string value)
        => OptionTable.WithConfig.FirstOrDefault(option => optionOrVariable == "--" + option.Name || optionOrVariable == option.EnvironmentName) is not { NamesFile: true } option ? value
            : option.Group == OptionGroup.Tls ? _pem
            : _secret;

    public void Dispose() => _folder.Delete(recursive: true);

    private string Write(string name, string text)
    {
        var file = Path.Combine(_folder.FullName, name);
        File.WriteAllText(file, text);
        return file;
    }
}
