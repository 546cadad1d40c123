using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Spool;
using Xunit;
using static KeyEvt.Forwarder.Tests.Fallback.SpoolEntries;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>What is left of a spool whose files were cut or changed, at the start and while it is used?</summary>
public sealed class SpoolDamageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Cutting_the_tail_at_every_byte_leaves_the_whole_records_before_it()
    {
        string[] texts = ["first", "", "third\0\n", "a longer fourth entry"];
        using (var spool = new LocalSpool(_folder))
        {
            foreach (var text in texts) await spool.AppendAsync(Entries(text), 0, false);
        }

        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        for (var length = 0; length <= whole.Length; length++)
        {
            await File.WriteAllBytesAsync(path, whole[..length], TestContext.Current.CancellationToken);
            using var spool = new LocalSpool(_folder);
            var expected = texts.TakeWhile((_, i) => texts.Take(i + 1).Sum(t => SpoolRecord.HeaderBytes + t.Length) <= length);
            Assert.Equal(expected, await ReadAsync(spool));
            await spool.AppendAsync(Entries("new"), 0, false);
            Assert.Equal(expected.Append("new"), await ReadAsync(spool));
        }
    }

    [Fact]
    public async Task A_single_byte_too_many_is_cut_off()
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("one"), 0, false);

        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        var whole = new FileInfo(path).Length;
        await File.AppendAllBytesAsync(path, [1], TestContext.Current.CancellationToken);
        using var again = new LocalSpool(_folder);
        Assert.Equal(["one"], await ReadAsync(again));
        Assert.Equal((1, whole), (again.DamagedBytes, new FileInfo(path).Length));
    }

    [Fact]
    public async Task A_flipped_bit_in_the_last_record_drops_only_that_one()
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("one", "two"), 0, false);

        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        for (var at = SpoolRecord.HeaderBytes + 3; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            await File.WriteAllBytesAsync(path, damaged, TestContext.Current.CancellationToken);
            using var spool = new LocalSpool(_folder);
            Assert.Equal(["one"], await ReadAsync(spool));
        }
    }

    [Fact]
    public async Task What_is_missing_in_a_damaged_file_hides_nothing_of_the_next_and_is_counted()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using (var spool = new LocalSpool(_folder))
        {
            await spool.AppendAsync(Entries("first", "second", large), 0, false);
            await spool.AppendAsync(Entries("third", "fourth"), 0, false);
        }

        var path = Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[SpoolRecord.HeaderBytes + "first".Length + SpoolRecord.HeaderBytes] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);

        using var again = new LocalSpool(_folder);
        Assert.True(again.DamagedBytes > large.Length);
        Assert.Equal(3, again.Count);
        Assert.Equal(["first", "third", "fourth"], await ReadAsync(again));
        Assert.Equal(["fourth"], (await again.ReadAsync(2, null, 5, int.MaxValue)).Entries.Select(TextOf));
        Assert.Equal(new RemoveResult(1, true), await again.RemoveAsync(Entries("first", "third"), null));
        Assert.Equal(["fourth"], await ReadAsync(again));
    }

    [Fact]
    public async Task An_entry_that_is_damaged_while_the_program_runs_stands_in_nobodys_way()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", "second", large), 0, false);
        await spool.AppendAsync(Entries("third"), 0, false);
        using (var file = new FileStream(Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).First(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.Seek(SpoolRecord.HeaderBytes + "first".Length + SpoolRecord.HeaderBytes, SeekOrigin.Begin);
            file.WriteByte(0);
        }

        Assert.Equal(["first", "third"], await ReadAsync(spool));
        Assert.Equal(2, spool.Count);
        Assert.Equal((2 * SpoolRecord.HeaderBytes) + "second".Length + large.Length, spool.DamagedBytes);
        Assert.Equal(new RemoveResult(0, true), await spool.RemoveAsync(Entries("first", "third"), null));
    }

    [Fact]
    public async Task What_follows_an_entry_is_found_where_the_file_in_front_of_it_has_become_damaged()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", large), 0, false);
        await spool.AppendAsync(Entries("third", "fourth"), 0, false);
        using (var file = new FileStream(Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).First(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.WriteByte(0);
        }

        var third = Entries("third")[0];
        var read = await spool.ReadAsync(1, new StoreEnds(third, third), 5, int.MaxValue);
        Assert.False(read.IsOther);
        Assert.Equal(["fourth"], read.Entries.Select(TextOf));
    }

    [Fact]
    public async Task What_becomes_damaged_piece_by_piece_is_summed_up_in_any_file()
    {
        var large = new string('x', 16 * 1024 * 1024); // fills a file, so that the next entry begins another
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", large), 0, false);
        await spool.AppendAsync(Entries("third", "fourth", "fifth"), 0, false);
        var second = Directory.GetFiles(_folder, "*.spool").Order(StringComparer.Ordinal).Last();

        await DamageAsync((3 * SpoolRecord.HeaderBytes) + "thirdfourth".Length, second);
        Assert.Equal(["first", large, "third", "fourth"], await ReadAsync(spool));
        await DamageAsync((2 * SpoolRecord.HeaderBytes) + "third".Length, second);
        Assert.Equal(["first", large, "third"], await ReadAsync(spool));
        Assert.Equal((2 * SpoolRecord.HeaderBytes) + "fourthfifth".Length, spool.DamagedBytes);
        Assert.Equal(SpoolRecord.HeaderBytes + "third".Length, new FileInfo(second).Length);
    }

    [Fact]
    public void A_length_beyond_the_longest_entry_is_none()
    {
        Assert.Equal(SpoolRecord.MaxPayload, SpoolRecord.LengthIn(BitConverter.GetBytes(SpoolRecord.MaxPayload)));
        Assert.Equal(-1, SpoolRecord.LengthIn(BitConverter.GetBytes(SpoolRecord.MaxPayload + 1)));
    }

    [Fact]
    public async Task A_file_of_which_nothing_is_whole_any_more_counts_as_empty()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("first", "second"), 0, false);
        await DamageAsync(SpoolRecord.HeaderBytes);
        var read = await spool.ReadAsync(0, null, 5, int.MaxValue);
        Assert.Equal((0L, 0), (read.Length, read.Entries.Count));
        Assert.Equal(0, spool.Count);
    }

    [Fact]
    public async Task What_is_damaged_is_cut_off_the_file_and_told_once()
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("first", "second", "third"), 0, false);

        await DamageAsync(SpoolRecord.HeaderBytes + "first".Length + SpoolRecord.HeaderBytes);
        using (var spool = new LocalSpool(_folder))
        {
            Assert.Equal((2 * SpoolRecord.HeaderBytes) + "second".Length + "third".Length, spool.DamagedBytes);
        }

        using var again = new LocalSpool(_folder);
        Assert.Equal(0, again.DamagedBytes);
        Assert.Equal(["first"], await ReadAsync(again));
    }

    /// <summary>Changes one byte of a file.</summary>
    /// <param name="path">Null: the only one.</param>
    private async Task DamageAsync(long at, string? path = null)
    {
        await using var file = new FileStream(path ?? Assert.Single(Directory.GetFiles(_folder, "*.spool")), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(at, SeekOrigin.Begin);
        file.WriteByte(0);
    }
}
