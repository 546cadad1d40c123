using System.Runtime.Versioning;
using KeyEvt.Proxy.Files;
using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Is it said of which files others may read or change what they hold?</summary>
[UnsupportedOSPlatform("windows")]
public sealed class NamedFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-files-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("600", true, null)]
    [InlineData("400", true, null)]
    [InlineData("644", true, "read (mode 644): take these rights away (chmod go-rwx)")]
    [InlineData("640", true, "read (mode 640): take these rights away (chmod go-rwx)")]
    [InlineData("660", true, "read or change (mode 660): take these rights away (chmod go-rwx)")]
    [InlineData("602", true, "read or change (mode 602): take these rights away (chmod go-rwx)")]
    [InlineData("644", false, null)]
    [InlineData("664", false, "change (mode 664): take these rights away (chmod go-w)")]
    [InlineData("646", false, "change (mode 646): take these rights away (chmod go-w)")]
    public void Rights_of_others_are_said(string mode, bool isSecret, string? said)
    {
        var path = FileWith(mode, "x");
        Assert.Equal(said is null ? null : $"--an-option names the file '{path}', which others may {said}", new NamedFile("--an-option", path, isSecret).Exposure());
    }

    [Fact]
    public void Of_a_link_the_rights_of_its_file_count()
    {
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, FileWith("600", "x"));
        Assert.Null(new NamedFile("--an-option", link, IsSecret: true).Exposure());
    }

    [Fact]
    public void Of_no_file_nothing_is_said()
    {
        Assert.Null(new NamedFile("--an-option", "/nowhere/file", IsSecret: true).Exposure());
        Assert.Null(new NamedFile("--an-option", "/dev/null", IsSecret: true).Exposure());
    }

    [Fact]
    public void Every_file_that_is_named_is_looked_at()
    {
        var secret = FileWith("600", "secret");
        var config = FileWith("600", $$"""{ "sentinel-password-file": "{{secret}}", "upstream": "redis+sentinel://h/m" }""");
        var faults = new List<string>();
        var options = OptionPrecedence.Load(
            new CommandLineSource().Read(["--config", config, "--amqp-password-file", secret, "--routing-key", "k"], faults, out _, out _),
            [new("KEYEVT_ADMIN_TOKEN_FILE", secret)], faults);
        Assert.Empty(faults);
        Assert.Equal("secret", options.Admin.Token?.Value);
        Assert.Equal(
            [
                new NamedFile("--config", config, IsSecret: true), new NamedFile($"'sentinel-password-file' in {config}", secret, IsSecret: true),
                new NamedFile("--amqp-password-file", secret, IsSecret: true), new NamedFile("KEYEVT_ADMIN_TOKEN_FILE", secret, IsSecret: true),
            ],
            options.Files);
    }

    [Theory]
    [InlineData("config", true)]
    [InlineData("tls-key", true)]
    [InlineData("upstream-key", true)]
    [InlineData("amqp-password-file", true)]
    [InlineData("admin-token-file", true)]
    [InlineData("tls-cert", false)]
    [InlineData("amqp-ca", false)]
    public void Certificates_are_for_everybody_and_nothing_else_is(string option, bool isSecret)
    {
        var spec = OptionTable.Find(option, OptionTable.WithConfig)!;
        Assert.True(spec.NamesFile);
        Assert.Equal(isSecret, spec.NamesSecret);
    }

    private string FileWith(string mode, string text)
    {
        var path = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("n"));
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(mode, 8));
        return path;
    }
}
