using System.Text;
using CsCheck;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;
using static KeyEvt.Forwarder.Tests.Fallback.SpoolEntries;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>Does the spool keep whatever it has acknowledged, in order, and no file longer than it needs it?</summary>
public sealed class LocalSpoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_was_appended_is_read_in_order_also_after_opening_again()
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("a", "b", "c"), 0, false);

        using var again = new LocalSpool(_folder);
        Assert.Equal(["a", "b", "c"], await ReadAsync(again));
        await again.RemoveAsync(Entries("a", "b"), null);
        Assert.Equal(["c"], await ReadAsync(again));
    }

    [Fact]
    public void It_is_named_by_its_folder_and_the_cap_of_the_lists_does_not_concern_it()
    {
        using var spool = new LocalSpool(_folder);
        var store = NamedStore.Of(spool);
        Assert.Equal(("spool", _folder, false), (store.Name, store.Place(), store.IsCapped));
        Assert.True(new NamedStore("list", spool).IsCapped);
    }

    [Theory]
    [InlineData(1, "ab")]
    [InlineData(2, "ab")]
    [InlineData(3, "ab cd")]
    [InlineData(4, "ab cd")]
    [InlineData(5, "ab cd ef")]
    public async Task A_read_ends_with_the_entry_that_reaches_the_bytes(int mostBytes, string expected)
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("ab", "cd", "ef"), 0, false);
        var read = await spool.ReadAsync(0, null, 10, mostBytes);
        Assert.Equal(expected, string.Join(' ', read.Entries.Select(entry => Encoding.UTF8.GetString(entry.Span))));
    }

    [Fact]
    public async Task A_removal_that_is_tried_again_is_done_only_where_nothing_has_been_removed_yet()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "a", "a"), 0, false);
        Assert.Equal(new RemoveResult(3, IsRemoved: false), await spool.RemoveAsync(Entries("a"), 4));
        Assert.Equal(new RemoveResult(2, IsRemoved: true), await spool.RemoveAsync(Entries("a"), 3));
        Assert.Equal(["a", "a"], await ReadAsync(spool));
    }

    [Fact]
    public void Two_programs_cannot_use_one_directory()
    {
        using var first = new LocalSpool(_folder);
        var error = Assert.Throws<IOException>(() => new LocalSpool(_folder));
        Assert.Contains("in use by another program", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Any_order_of_appending_removing_and_opening_again_is_that_of_a_list() => Gen.Int[0, 60].Array[1, 60].SampleAsync(
        async acts =>
        {
            var folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;
            var model = new List<string>();
            var spool = new LocalSpool(folder);
            var next = 0;
            foreach (var act in acts)
            {
                if (act < 30)
                {
                    var texts = Enumerable.Range(0, act % 7).Select(_ => $"entry {next++}").ToArray();
                    model.AddRange(texts);
                    await spool.AppendAsync(Entries(texts), 0, false);
                }
                else if (act < 50)
                {
                    var count = Math.Min(act % 9, model.Count);
                    var result = await spool.RemoveAsync(Entries([.. model.Take(count)]), null);
                    model.RemoveRange(0, count);
                    Assert.Equal(new RemoveResult(model.Count, true), result);
                }
                else
                {
                    spool.Dispose();
                    spool = new LocalSpool(folder);
                }

                Assert.Equal(model.Skip(2).Take(5), (await spool.ReadAsync(2, null, 5, int.MaxValue)).Entries.Select(TextOf));
            }

            Assert.Equal(model, await ReadAsync(spool));
            spool.Dispose();
            Directory.Delete(folder, recursive: true);
        },
        iter: 100);

    [Fact]
    public async Task Where_the_head_cannot_be_written_what_was_read_is_removed_all_the_same()
    {
        var log = new RecordingLogger();
        using var spool = new LocalSpool(_folder, log);
        await spool.AppendAsync(Entries("a", "b", "c"), 0, false);
        var obstacle = Directory.CreateDirectory(Path.Combine(_folder, "head.new"));

        Assert.Equal(new RemoveResult(1, true), await spool.RemoveAsync(Entries("a", "b"), null));
        Assert.Equal(["c"], await ReadAsync(spool));
        Assert.Equal(new RemoveResult(0, true), await spool.RemoveAsync(Entries("c"), null));
        Assert.Empty(Directory.GetFiles(_folder, "*.spool"));
        Assert.Single(log.Lines); // not once more for the second time
        obstacle.Delete();
    }

    [Fact]
    public async Task Its_size_is_shown()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "b"), 0, false);
        Assert.Equal(new SpoolStatus(2, (2 * SpoolRecord.HeaderBytes) + 2), spool.Status);
        await spool.RemoveAsync(Entries("a", "b"), null);
        Assert.Equal(new SpoolStatus(0, 0), spool.Status);
    }

    [Fact]
    public async Task A_file_of_16_MiB_is_full_and_a_smaller_one_is_not()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries(new string('x', (16 * 1024 * 1024) - 1 - SpoolRecord.HeaderBytes)), 0, false);
        await spool.AppendAsync(Entries("second"), 0, false);
        Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        await spool.RemoveAsync((await spool.ReadAsync(0, null, 2, int.MaxValue)).Entries, null);

        await spool.AppendAsync(Entries(new string('x', (16 * 1024 * 1024) - SpoolRecord.HeaderBytes)), 0, false);
        await spool.AppendAsync(Entries("second"), 0, false);
        Assert.Equal(2, Directory.GetFiles(_folder, "*.spool").Length);
    }

    [Fact]
    public void Of_a_long_entry_256_bytes_are_compared_and_of_a_short_one_all()
    {
        Assert.Equal(256, StoreSteps.HeadOf(new byte[257]).Length);
        Assert.Equal(255, StoreSteps.HeadOf(new byte[255]).Length);
    }

    [Fact]
    public void A_link_in_the_place_of_a_file_is_refused_and_not_kept_open()
    {
        var file = Path.Combine(_folder, "elsewhere");
        File.WriteAllText(file, "");
        var link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, file);
        Assert.Contains("no regular file", Assert.Throws<IOException>(() => SpoolSegment.Open(link, 0)).Message, StringComparison.Ordinal);
        Assert.False(IsOpen(file));
    }

    [Fact]
    public async Task A_file_that_has_been_read_is_closed_so_that_its_disk_space_is_free()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a"), 0, false);
        var path = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        Assert.True(IsOpen(path));
        await spool.RemoveAsync(Entries("a"), null);
        Assert.False(File.Exists(path));
        Assert.False(IsOpen(path));
    }

    [Fact]
    public async Task The_longest_entry_that_redis_allows_is_whole_after_a_restart_and_never_in_memory_as_a_whole_file()
    {
        const int Length = (512 * 1024 * 1024) + 1000; // a key of 512 MB, and what belongs to an event; zeros, which the disk need not hold
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("first"), 0, false);

        var checksum = SpoolRecord.BeginChecksum(Length);
        var zeros = new byte[1000];
        for (var at = 0; at < Length; at += zeros.Length)
        {
            checksum = SpoolRecord.AddToChecksum(checksum, zeros.AsSpan(0, Math.Min(zeros.Length, Length - at)));
        }

        await using (var file = new FileStream(Assert.Single(Directory.GetFiles(_folder, "*.spool")), FileMode.Append))
        {
            await file.WriteAsync(BitConverter.GetBytes(Length), TestContext.Current.CancellationToken);
            await file.WriteAsync(BitConverter.GetBytes(SpoolRecord.EndChecksum(checksum)), TestContext.Current.CancellationToken);
            file.SetLength(file.Length + Length);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        using var again = new LocalSpool(_folder);
        Assert.Equal((2L, 0L), (again.Count, again.DamagedBytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 1024 * 1024);
        await again.AppendAsync(Entries("next"), 0, false);
        Assert.Equal(["next"], (await again.ReadAsync(2, null, 5, int.MaxValue)).Entries.Select(TextOf));
    }

    /// <summary>Whether this program has the file open, removed or not. Linux shows the path of each open file, and then whether it was removed.</summary>
    private static bool IsOpen(string path) =>
        Directory.GetFiles("/proc/self/fd").Select(open => new FileInfo(open).LinkTarget).Any(target => target?.StartsWith(path, StringComparison.Ordinal) == true);
}
