using KeyEvt.Servers.Docs;
using Xunit;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>
/// Is a page of docs that the program's own tables decide still what they say? With KEYEVT_WRITE_DOCS=1 it is written instead: scripts/docs.sh does that.
/// </summary>
internal static class GeneratedPage
{
    public static void IsEqualTo(string file, string text)
    {
        if (Environment.GetEnvironmentVariable("KEYEVT_WRITE_DOCS") == "1") File.WriteAllText(Repository.PathOf(file), text);

        Assert.True(File.Exists(Repository.PathOf(file)) && Repository.Read(file) == text, $"{file} is not what the program says: run scripts/docs.sh");
    }
}
