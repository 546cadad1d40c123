using KeyEvt.Forwarder.Events;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Are letters read and written as users and servers mean them, and is nobody's letter lost?</summary>
public sealed class NotifyFlagsTests
{
    private const EventClass Default = EventClass.Expired | EventClass.Evicted;

    /// <summary>What A stands for before Redis 8.8.</summary>
    private const EventClass OldAll = EventClass.All & ~EventClass.Array;

    [Theory]
    [InlineData("xe", Default)]
    [InlineData("ex", Default)]
    [InlineData("KEx", EventClass.Expired)]
    [InlineData("xxx", EventClass.Expired)]
    [InlineData("A", EventClass.All)]
    [InlineData("KEA", EventClass.All)]
    [InlineData("Am", EventClass.All | EventClass.KeyMiss)]
    [InlineData("g$lshzxetda", EventClass.All)]
    [InlineData("g$lshzxetd", OldAll)]
    [InlineData("hT", EventClass.Hash | EventClass.Fields)]
    [InlineData("hSIV", EventClass.Hash | EventClass.Fields)]
    [InlineData("mnoc", EventClass.KeyMiss | EventClass.New | EventClass.Overwritten | EventClass.TypeChanged)]
    public void Letters_of_users_are_read(string letters, EventClass expected)
    {
        Assert.True(NotifyFlags.TryParse(letters, out var classes, out var error));
        Assert.Equal(expected, classes);
        Assert.Equal("", error);
    }

    [Theory]
    [InlineData("xq", "'q'")]
    [InlineData("X", "'X'")]
    [InlineData("x e", "'U+0020'")]
    [InlineData("x\r", "'U+000D'")]
    [InlineData("x\0", "'U+0000'")]
    [InlineData("xé", "'U+00E9'")]
    [InlineData("x😀", "'U+1F600'")]
    [InlineData("\ud800", "'U+FFFD'")]
    public void An_unknown_letter_is_named_and_nothing_is_read(string letters, string named)
    {
        Assert.False(NotifyFlags.TryParse(letters, out var classes, out var error));
        Assert.Equal(EventClass.None, classes);
        Assert.StartsWith($"unknown event flag {named}", error, StringComparison.Ordinal);
        Assert.DoesNotContain(error, char.IsControl);
    }

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("KE")]
    [InlineData("STIV")]
    public void Letters_without_a_class_are_a_fault(string letters)
    {
        Assert.False(NotifyFlags.TryParse(letters, out _, out var error));
        Assert.Contains("no class", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EventClass.None, "")]
    [InlineData(Default, "xe")]
    [InlineData(EventClass.All, "A")]
    [InlineData(EventClass.All | EventClass.New | EventClass.KeyMiss, "Amn")]
    [InlineData(EventClass.All & ~EventClass.Module, "g$lshzxeta")]
    [InlineData(EventClass.All | EventClass.Fields, "AT")]
    [InlineData(EventClass.Overwritten | EventClass.TypeChanged, "oc")]
    public void Classes_are_written_in_the_order_of_Redis(EventClass classes, string expected) => Assert.Equal(expected, NotifyFlags.Format(classes));

    [Fact]
    public void What_is_written_reads_back_for_every_combination_of_classes()
    {
        for (uint bits = 1; bits < 1 << 16; bits++)
        {
            if ((EventClass)bits == EventClass.Fields) continue; // no class

            Assert.True(NotifyFlags.TryParse(NotifyFlags.Format((EventClass)bits), out var classes, out _));
            Assert.Equal((EventClass)bits, classes);
        }
    }

    // current as servers print it: AKEn is printed AKE, AKEmn is printed AKEm
    [Theory]
    [InlineData("", Default, "xeE")]
    [InlineData("AKE", Default, null)]
    [InlineData("AE", OldAll, null)]
    [InlineData("xE", Default, "xEe")]
    [InlineData("xeE", Default, null)]
    [InlineData("xeKE", Default, null)]
    [InlineData("xe", Default, "xeE")]
    [InlineData("E", Default, "Exe")]
    [InlineData("K", Default, "KxeE")]
    [InlineData("xK", Default, "xKeE")]
    [InlineData("lKEm", Default, "lKEmxe")]
    [InlineData("g$lshzxetE", OldAll, "g$lshzxetEd")]
    [InlineData("g$lshzxetE", EventClass.String, null)]
    [InlineData("xnE", EventClass.New, null)]
    [InlineData("xnE", EventClass.New | EventClass.String, "xnE$")]
    [InlineData("xE", OldAll, "xEg$lshzetd")]
    [InlineData("E", OldAll, "EA")]
    [InlineData("xE", EventClass.KeyMiss, "xEm")]
    [InlineData("xE?!", EventClass.KeyMiss, "xE?!m")]
    public void Only_what_is_missing_is_added_to_what_was_read(string current, EventClass needed, string? expected)
    {
        Assert.Equal(expected, NotifyFlags.Missing(current, needed, OldAll, out var ambiguous));
        Assert.False(ambiguous);
        Assert.Equal(expected is null, NotifyFlags.Covers(current, needed, OldAll));
    }

    [Theory]
    [InlineData("AK", Default, "AKE", false)]
    [InlineData("AKE", EventClass.KeyMiss, "AKEm", false)]
    [InlineData("AKE", EventClass.New, "AKEn", true)]
    [InlineData("AKEm", EventClass.New | EventClass.KeyMiss, "AKEmn", true)]
    [InlineData("AKE", EventClass.New | EventClass.KeyMiss, "AKEmn", false)]
    [InlineData("AE", EventClass.Overwritten | EventClass.TypeChanged, "AEoc", true)]
    [InlineData("A", EventClass.New, "AnE", false)]
    public void With_A_in_it_needed_letters_are_added_and_the_doubt_is_said(string current, EventClass needed, string expected, bool covers)
    {
        Assert.Equal(expected, NotifyFlags.Missing(current, needed, OldAll, out var ambiguous));
        Assert.True(ambiguous);
        Assert.Equal(covers, NotifyFlags.Covers(current, needed, OldAll));
    }

    [Theory]
    [InlineData("")]
    [InlineData("A")]
    [InlineData("xKE")]
    public void When_nothing_is_needed_nothing_is_missing(string current)
    {
        Assert.Null(NotifyFlags.Missing(current, EventClass.None, OldAll, out var ambiguous));
        Assert.False(ambiguous);
        Assert.True(NotifyFlags.Covers(current, EventClass.None, OldAll));
    }

    [Fact]
    public void What_is_written_keeps_every_letter_and_is_enough_whatever_was_read()
    {
        foreach (var all in new[] { OldAll, EventClass.All })
        {
            for (uint bits = 0; bits < 1 << 16; bits++) KeepsEveryLetter(Printed((EventClass)bits, all), all);
        }
    }

    private static void KeepsEveryLetter(string current, EventClass all)
    {
        foreach (var delivery in new[] { "", "K", "E", "KE" })
        {
            foreach (var needed in new[] { Default, all, EventClass.New, EventClass.KeyMiss | EventClass.Hash, EventClass.Hash | EventClass.Fields })
            {
                var written = NotifyFlags.Missing(current + delivery, needed, all, out _);
                Assert.StartsWith(current + delivery, written ?? (current + delivery), StringComparison.Ordinal);
                Assert.Null(NotifyFlags.Missing(written ?? (current + delivery), needed, all, out _));
                Assert.True(NotifyFlags.Covers(written ?? (current + delivery), needed, all));
            }
        }
    }

    /// <summary>As Redis 8 prints it: n, o and c only without A.</summary>
    private static string Printed(EventClass classes, EventClass all) => classes.HasFlag(all)
        ? "A" + NotifyFlags.List(classes & (EventClass.KeyMiss | EventClass.Fields))
        : NotifyFlags.List(classes);
}
