// Do the framer and the slow reference say the same of one stream in one set of pieces?
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

/// <summary>Throws where they differ: after each piece in what was forwarded and asked, at the end in everything. Also what the fuzzer runs.</summary>
internal static class Agreement
{
    /// <summary>Small, so that random streams run into each of them.</summary>
    public static RespLimits SmallLimits { get; } = new() { MaxArguments = 12, MaxBulkBytes = 120, MaxInlineBytes = 64, MaxCandidateBytes = 90 };

    public static void Check(byte[] stream, int[] cuts, RespLimits limits)
    {
        var driver = new FramerDriver(limits, segmentSize: 5);
        var fed = 0;
        foreach (var piece in Cuts.Apply(stream, cuts))
        {
            driver.Feed(piece);
            fed += piece.Length;
            if (!driver.Ended) AgreeOnPrefix(new ReferenceFramer(stream[..fed], limits), driver);
        }

        var reference = new ReferenceFramer(stream, limits);
        Assert.Equal(reference.Error, driver.Error?.Message);
        Assert.Equal(reference.End == ReferenceEnd.Foreign, driver.Foreign);
        Assert.Equal(reference.Candidates, driver.Candidates, SameHeld);
        if (reference.End != ReferenceEnd.Error)
        {
            Assert.Equal(Latin1.Text([.. reference.Forwarded]), Latin1.Text([.. driver.Forwarded]));
            return;
        }

        Assert.Equal(reference.ErrorOffset, driver.Error!.Offset);
        var atMost = Latin1.Text([.. reference.Forwarded, .. reference.MayFollow]);
        Assert.StartsWith(Latin1.Text([.. driver.Forwarded]), atMost);
        Assert.StartsWith(Latin1.Text([.. reference.Forwarded]), Latin1.Text([.. driver.Forwarded]));
        Assert.Equal(driver.Forwarded.Count > reference.Forwarded.Count, driver.Framer.BrokeInsideReleased);
        if (cuts.Length == 0) Assert.Equal(reference.Forwarded.Count, driver.Forwarded.Count);
    }

    private static void AgreeOnPrefix(ReferenceFramer reference, FramerDriver driver)
    {
        Assert.Null(reference.Error);
        Assert.Equal(Latin1.Text([.. reference.Forwarded]), Latin1.Text([.. driver.Forwarded]));
        Assert.Equal(reference.End == ReferenceEnd.Boundary, driver.Framer.AtRequestBoundary);
        Assert.Equal(reference.Asked, driver.Asked);
    }

    private static bool SameHeld(Held a, Held b) =>
        a.Arguments.SequenceEqual(b.Arguments) && a.IsInline == b.IsInline && a.Length == b.Length && a.Taken == b.Taken;
}
