using CsCheck;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>Do the fast matchers say what the slow one says, on random masks and keys?</summary>
public sealed class MaskModelTests
{
    [Fact]
    public void One_mask_matches_as_Pikes_matcher_does() =>
        Gen.Select(MaskGen.Mask, MaskGen.Key.Array[1, 5]).Sample(
            (mask, keys) =>
            {
                var fast = KeyMask.Parse(mask);
                return keys.All(key => fast.Matches(key) == PikeMatcher.Matches(mask, key));
            },
            iter: 100_000,
            print: Print);

    [Fact]
    public void A_mask_of_several_words_matches_as_Pikes_matcher_does() =>
        MaskGen.Long.Sample((mask, key) => KeyMask.Parse(mask).Matches(key) == PikeMatcher.Matches(mask, key), iter: 3_000);

    [Fact]
    public void A_set_matches_when_one_of_its_masks_does() =>
        Gen.Select(MaskGen.Mask.Where(mask => mask.Length > 2).Array[0, 20], MaskGen.Key.Array[1, 20]).Sample(
            (masks, keys) =>
            {
                var set = KeyMaskSet.Empty.Add(masks.Select(mask => KeyMask.Parse(mask)));
                return keys.All(key => set.Matches(key) == masks.Any(mask => PikeMatcher.Matches(mask, key)));
            },
            iter: 5_000);

    [Fact]
    public void Without_room_for_what_it_learns_a_matcher_says_the_same() =>
        Gen.Select(MaskGen.Long.Array[1, 5], MaskGen.Key.Array[0, 5]).Sample(
            (pairs, keys) =>
            {
                var matcher = new MaskMatcher([.. pairs.Select(pair => MaskPattern.Parse(pair.Mask))], memoryBytes: 0);
                return pairs.Select(pair => pair.Key).Concat(keys)
                    .All(key => matcher.Matches(key) == pairs.Any(pair => PikeMatcher.Matches(pair.Mask, key)));
            },
            iter: 300);

    [Fact]
    public void The_shortest_form_of_a_mask_has_no_star_at_a_free_edge() =>
        MaskGen.Mask.Sample(mask =>
        {
            var pattern = MaskPattern.Parse(mask);
            var tokens = pattern.Tokens.Span;
            return (tokens.IsEmpty || pattern.AnchoredAtStart || !tokens[0].IsStar)
                && (tokens.IsEmpty || pattern.AnchoredAtEnd || !tokens[^1].IsStar);
        });

    private static string Print((byte[] Mask, byte[][] Keys) sample) =>
        $"{KeyMask.Parse(sample.Mask)} on {string.Join(", ", sample.Keys.Select(key => KeyMask.Parse(key).ToString()))}";
}
