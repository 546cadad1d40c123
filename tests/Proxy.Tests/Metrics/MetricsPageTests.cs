using Xunit;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Is docs/metrics.md what the definitions say?</summary>
public sealed class MetricsPageTests
{
    [Fact]
    public void The_page_of_the_metrics_is_that_of_the_program()
    {
        var file = Path.Combine(Root(), "docs", "metrics.md");
        var expected = MetricsPage.Write();
        if (Environment.GetEnvironmentVariable("KEYEVT_WRITE_DOCS") == "1") File.WriteAllText(file, expected);
        var actual = File.Exists(file) ? File.ReadAllText(file) : "";
        Assert.True(expected == actual, "docs/metrics.md is not what the program has: run this test with KEYEVT_WRITE_DOCS=1");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("not inside the repository");
        }

        return folder.FullName;
    }
}
