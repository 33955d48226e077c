package file

import (
	"encoding/hex"
	"testing"
)

// modelReplays are sequences of actions that went wrong once, as TestModel prints them.
var modelReplays = map[string]string{
	"a plain copy has what was read, a compressed one more": "18010100af050f05ee05bf730ab94f",
	"copies of two lengths, two instances": "18010114745521045500dd49186f13025e010fdb6c02c3f000d0680ea4da0a1f" +
		"5314f25002c3c506a1fb",
	"copies of two lengths, each instance continues one":  "18010100dd49186f13025e010fdb6c02c3f000d0680a1f53186f1314f250",
	"copies of two lengths, unpacked before one is known": "18010100d9a11c9a6c0f4b2b1de28600591a0ad505",
	"copies of two lengths, nothing stored, another starts": "189a0100d9a11c9a6c0f4b2b00591a0e4a370ad5051801e81cd39201a6" +
		"5e00c3ce1f031e0e4a37186245",
	"copies of two lengths, nothing stored":                 "18010100d9a11c9a6c0f4b2b00591a0ad505",
	"copies of two lengths, the database away":              "180101005fa40f3fb51db55400c75c0aad5200d8c6",
	"a compressed copy goes on, a plain one is short":       "1801011f60f90018dd1378801b06c700c2d70f6416026124000eaa0a285e",
	"restored while the database is away":                   "18010100c541061d3d1d0ee114e5440044bc0008cf",
	"restored while the database is away, refused":          "00803809b89716e7231d13801482ac1ccecf0444f8031a3a",
	"restored while the database is away, another starts":   "180101006a4b0666221d03b01408dc183fdb",
	"killed between finishing and passing over":             "00831806d1ee18e229007f8814fded1d03070a90c7172796",
	"compressed and removed, another instance has the rest": "00f36a18a6c51f1e36062ff0065cc707152c0bc90c18de91",
	"compressed and removed, another instance, nothing stored": "18010100983d09e9de06e8e71f03e01ca4580bd6e218aadc02" +
		"5724",
	"compressed again while the database is away": "180101000d0e009c370d4bdf1dd56f0a477118e9bc05675c15ebb50671c40b17" +
		"a40ac992",
	"compressed and cut, an earlier copy found before":     "00029916d9ae0f7638022eee0a7464",
	"copied while the database is away, the original cut":  "18010106130e0d538e1dbe6609635900c5f90869d11e0f0a",
	"copied before it was looked at, then written to":      "1683d100dce60986b8004996",
	"cut and filled again, compressed before that is seen": "18010100b2860d26b60ae480",
	"cut and filled again, copied before that is seen":     "002f33189ab803b7ba0de51409cf5f",
	"cut and filled twice, one instance sees it once":      "1801011df2bb1815c800b52c00e6f31eb4740d222000ae370d54d9",
	"grown again the same, another starts":                 "18010119127f0106c30e92df1813d61e2dc5",
	"grown again the same, another starts, moved": "1766f7204f3019df4406a6c11833ff18ffed006a6900842601b1351311ed0e2d" +
		"df16b0e110297a",
	"grown again the same twice, another starts between": "1801011ad7991cd39201a65e00c3ce0e4a370eba37186245",
	"grown again the same after refused commits":         "1801011cd39201a65e00c3ce1f031e0e4a37186245",
	"grown again the same, like a short copy":            "18010118a2b700f0a30080b400d2ff1dde650e787e09868c",
	"grown again the same, one instance sees it": "1801011fba0d14ac3a0a3afb18701700fd640a4dc300fe9e0ec02d0023a600c4a5" +
		"0a19031f69c40ee6d920c5ce0afe9301321b000549",
	"compressed twice, one instance is held back": "1801010f060800900219bb63047355096b6900cf830544ee0ac48e00569c18f7" +
		"3500496d1d31130a1831054def21c862",
	"compressed and removed, another copy closed by another": "18010118331d04c25c1943b300e2ac0688bf1432cd0b6e3c16379e18b4e4",
	"grown again the same after a pause, another starts":     "1801010089ec01f7670e69bf189e5d",
	"found only by an instance that was killed":              "18010119211500291e060b3100e11713be0c183ed4136e051567de",
	"removed, another starts":                                "167b2318fffc19409a005c8708d0a91692b221baf1",
}

func TestModelReplays(t *testing.T) {
	for name, actions := range modelReplays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := hex.DecodeString(actions)
			must(err)
			if f, failed := try(t, decode(p), 4); failed {
				t.Error(f)
			}
		})
	}
}
